"""The making of a comparison's page: pictures are drawn and written beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.comparison.page import GENERATOR, ShownItem, comparison_page
from deixis.comparison.paired import Difference, benchmark_items
from deixis.comparison.saved_report import SavedReport
from deixis.comparison.shown_items import Differing, differing_items, drawn, openable, spread, true_boxes
from deixis.errors import UsageError
from deixis.files.writing import replacing, require_writable_folder, write_whole
from deixis.gallery.html import written
from deixis.regions.shapes import Box

INDEX = "index.html"
OWN_PICTURE = re.compile(r"item-\d+\.jpg")
LONGEST_TRUTH = 200
DRAWN = "the places in white dashes"


def check_folder(out: Path) -> None:
    """Raise UsageError unless a page may be written here: a new or empty folder, or one with such a page."""
    require_writable_folder(out, flag="--out")
    if out.exists() and any(out.iterdir()):
        index = out / INDEX
        if not index.is_file() or GENERATOR not in index.read_bytes()[:4096].decode("utf-8", "replace"):
            raise UsageError(f"--out {out} holds something else; name a new folder")


def make_page(
    first: SavedReport,
    second: SavedReport,
    numbers: Sequence[Difference],
    out: Path,
    *,
    data: Path | None = None,
    despite: Sequence[str] = (),
    most: int = 60,
) -> int:
    """Write the page with its pictures, and return how many items differ.

    data: where the pictures lie, None for where the reports say. most: items that are shown. UsageError: the
    folder holds something else.
    """
    check_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    for path in out.iterdir():
        if OWN_PICTURE.fullmatch(path.name):
            path.unlink()
    pairs = differing_items(first, second)
    opener, why = openable(first, data=data)
    known: dict[str, Any] = {}
    if opener is not None and first.benchmark is not None:
        known = {item.id: item.truth for item in benchmark_items(first, data=data)}
    shown = []
    for number, pair in enumerate(spread(pairs, most), start=1):
        picture = None if opener is None else opener(pair.first)
        photo, truth = None, list[Box]()
        if picture is not None:
            truth = true_boxes(pair.first, picture, known.get(pair.first.key))
            image = drawn(pair, picture, truth)
            photo = (f"item-{number:03d}.jpg", *image.size)
            with replacing(out / photo[0]) as partial:
                image.save(partial, quality=88, subsampling=0)
        told = DRAWN if truth else truth_in_words(pair, known.get(pair.first.key))
        shown.append(ShownItem(pair, told, photo))
    page = comparison_page(
        first, second, numbers, shown, differing=len(pairs), despite=despite, no_pictures=why
    )
    write_whole(out / INDEX, written(page))
    return len(pairs)


def truth_in_words(pair: Differing, known: Any) -> str:
    """Return what is true of an item, for people; ``known``: a benchmark's truth."""
    truth = pair.first.content.get("truth") if known is None else known
    told = in_words(truth)
    return told if len(told) <= LONGEST_TRUTH else f"{told[:LONGEST_TRUTH]} …"


def in_words(value: Any) -> str:
    """Return a value of JSON for people.

    >>> in_words({"right": "suit", "right_first": False, "nouns": ["shirt", "hat"], "verbs": []})
    'right: suit; right first: no; nouns: shirt, hat; verbs: none'
    """
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')}: {in_words(own)}" for name, own in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "yes", False: "no"}[value]
    return str(value)

"""The fields of a sample, from JSON and to it; every mistake is reported with the name of its field.

A report is a function of (field, message): reading raises at the first, checking collects them all.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from deixis.errors import BadRegion, RecordError
from deixis.files.json_files import LARGEST_LINE, below, ordinary_file
from deixis.regions import as_objects
from deixis.regions.as_objects import shown as shown
from deixis.regions.frames import Frame
from deixis.regions.names import REGION_NAME
from deixis.regions.shapes import Region

Report = Callable[[str, str], None]


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1; one that is too long arrives cut."""
    ordinary_file(path)
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(LARGEST_LINE + 1):
                number += 1
                rest = line
                while len(rest) > LARGEST_LINE and not rest.endswith(b"\n"):
                    rest = stream.readline(LARGEST_LINE + 1)
                if line.strip():
                    yield number, line
    except OSError as fault:
        raise RecordError(f"{path} cannot be read: {fault.strerror or fault}") from fault


def decode_line(line: bytes) -> dict[str, Any]:
    """The JSON object of a line; RecordError for anything else, also for a key that is given twice."""
    if len(line) > LARGEST_LINE:
        raise RecordError(f"is over {LARGEST_LINE:,} bytes; expected one object a line")
    try:
        value = json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"is not valid JSON ({fault}); expected one object a line") from fault
    if not isinstance(value, dict):
        raise RecordError(f"is a JSON {type(value).__name__}; expected one object a line")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"key {twice!r:.80} is given twice")
    return found


def check_keys(values: dict[str, Any], legal: Collection[str], report: Report, *, within: str = "") -> None:
    """Report every key that does not exist, with the nearest that does."""
    for key in values:
        if key not in legal:
            near = difflib.get_close_matches(key[:80], legal, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            report(f"{within}{key:.80}", f"is no field of a sample; {hint}expected {', '.join(legal)}")


def check_text(value: Any, field: str, report: Report, *, expected: str) -> str:
    """The value if it is a text with words in it; else a report and the empty text."""
    if not isinstance(value, str) or not value.strip():
        report(field, f"is {shown(value)}; expected {expected}")
        return ""
    # JSON can spell halves of characters, which no file can hold.
    if any("\ud800" <= character <= "\udfff" for character in value):
        report(field, f"is {shown(value)}, with half a character in it; expected {expected}")
        return ""
    return value


def picture_path(name: str, folder: Path) -> Path:
    """Where the picture of that name lies; RecordError if it is not in `folder`, be it through a link."""
    try:
        path = below(folder, name, where="sample")
        inside = path.resolve().is_relative_to(folder.resolve())
    except (RecordError, OSError, RuntimeError):  # RuntimeError: links in a circle
        inside = False
    if not inside:
        raise RecordError(
            f"is {shown(name)}, which leads out of {folder}; expected a name relative to the folder of the "
            "sample file. Put that beside or above its pictures"
        )
    return path


def parse_regions(values: Any, frame: Frame, report: Report) -> tuple[tuple[str, Region], ...]:
    """The regions of a sample by name; those with a mistake are reported and left out."""
    if not isinstance(values, dict):
        report("regions", f'is {shown(values)}; expected an object {{"a": {{"box": [x0, y0, x1, y1]}}, ...}}')
        return ()
    regions = []
    for name, value in values.items():
        if REGION_NAME.fullmatch(name) is None:
            report(
                f"regions.{name:.80}", "has a name that is not letters, digits and _, beginning with no digit"
            )
        try:
            regions.append((name, as_objects.region_of_object(value, frame)))
        except BadRegion as fault:
            report(f"regions.{name:.80}", str(fault))
    return tuple(regions)


def numbers(value: Any, names: str) -> list[float]:
    """The numbers of a list as long as `names`; RecordError for anything else."""
    try:
        return as_objects.numbers(value, names)
    except BadRegion as fault:
        raise RecordError(str(fault)) from fault

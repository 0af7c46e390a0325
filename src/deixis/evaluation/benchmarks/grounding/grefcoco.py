"""gRefCOCO (Liu et al., GRES, 2023; He et al., GREC, 2023): expressions for several things, one, or none.

``grefs(unc).json`` (a list of references with ``ann_id``, a list, and ``no_target``), ``instances.json`` and
the pictures. Pr@(F1=1, IoU>=0.5): an expression is right if its places and the true boxes pair off without
rest; one for nothing is right if no place is given. N-acc is that of the expressions for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Row, Scoring, Table
from deixis.evaluation.benchmarks.grounding.refcoco_folder import (
    ALL_FOLDERS,
    image_of,
    images_and_boxes,
    rows_of_split,
)
from deixis.evaluation.benchmarks.grounding.referring_expressions import Referred
from deixis.evaluation.benchmarks.marking import row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.files.json_files import LARGEST_FILE, Fields, bounded_bytes
from deixis.regions.overlap import Edges, iou

INSTRUCTION = "Locate {} in the image."
LEAST = 0.5  # IoU; as much is enough
FILES = ("grefs(unc).json", "grefs(umd).json", "grefs.json")
DEFAULT_SPLIT = "val"
NONE, ONE, SEVERAL = "no target", "one target", "several targets"


def read(path: Path) -> list[BenchmarkItem[Referred]]:
    """Return the expressions of the split ``val``."""
    return read_split(path, DEFAULT_SPLIT)


def read_split(path: Path, split: str) -> list[BenchmarkItem[Referred]]:
    """Return the expressions of a split, in the order of the references; RecordError names the entry."""
    file = next((path / name for name in FILES if (path / name).is_file()), None)
    if file is None:
        raise RecordError(f"{path} has none of {', '.join(FILES)}; is it gRefCOCO's folder?")
    chosen = rows_of_split(references_of(file), split, where=str(file))
    images, boxes = images_and_boxes(path)
    items = []
    for entry in chosen:
        image = image_of(entry, images)
        width, height = (image.whole(side, least=1) for side in ("width", "height"))
        true = true_boxes(entry, boxes)
        shown = picture_file(path, image.text("file_name"), where=image.where, folders=ALL_FOLDERS)
        for place, sentence in enumerate(entry.rows("sentences")):
            items.append(
                BenchmarkItem(
                    id=f"{entry.whole('ref_id')}/{place}",
                    pictures=(shown,),
                    question=" ".join(sentence.text("sent").split()),
                    truth=Referred(true, width, height),
                    kinds={"targets": (NONE, ONE, SEVERAL)[min(len(true), 2)]},
                )
            )
    return items


def references_of(file: Path) -> list[Fields]:
    """Return the references of a file, which is one JSON list."""
    try:
        content = json.loads(bounded_bytes(file, largest=LARGEST_FILE))
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"{file} is no JSON: {fault}") from None
    return list(Fields({"refs": content}, str(file)).rows("refs"))


def true_boxes(entry: Fields, boxes: dict[int, Edges]) -> tuple[Edges, ...]:
    """Return the boxes that an entry means; none where it says so, by ``no_target`` or by -1."""
    given: Any = entry.values.get("ann_id")
    numbers = given if isinstance(given, list) else [given]
    if entry.values.get("no_target") or numbers in ([], [-1]):
        return ()
    missing = [number for number in numbers if not isinstance(number, int) or number not in boxes]
    if missing:
        raise RecordError(f"{entry.where}: ann_id {missing[0]!r:.40} is no annotation of instances.json")
    return tuple(boxes[number] for number in numbers)


def prompt(item: BenchmarkItem[Referred]) -> str:
    """Return what is asked, as of expressions for one thing."""
    return INSTRUCTION.format(item.question)


def score(item: BenchmarkItem[Referred], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether the places of a reply are what is meant: F1 = 1 at IoU >= 0.5.

    A reply with malformed places is never right, also where nothing is meant.
    """
    true, found = item.truth.boxes, [place.box for place in reply.places]
    hits = paired(found, true)
    f1 = 1.0 if not true and not found else 2 * hits / (len(true) + len(found))
    if reply.failures:
        return Mark(0.0, fault="unparsed", why=reply.failures[0], numbers={"f1": 0.0})
    return Mark(float(f1 == 1), read=str(found), numbers={"f1": f1})


def paired(found: Sequence[Edges], true: Sequence[Edges]) -> int:
    """Return how many pairs there are at most of a place and a true box of its own that overlap enough.

    >>> paired([(0, 0, 2, 2), (0, 0, 2, 2)], [(0, 0, 2, 2), (5, 5, 7, 7)])
    1
    """
    if not found or not true:
        return 0
    enough = np.array([[iou(box, one) >= LEAST for one in true] for box in found])
    owner: dict[int, int] = {}

    def placed(place: int, seen: set[int]) -> bool:
        for box in np.flatnonzero(enough[place]).tolist():
            if box not in seen:
                seen.add(box)
                if box not in owner or placed(owner[box], seen):
                    owner[box] = place
                    return True
        return False

    return sum(placed(place, set()) for place in range(len(found)))


def tabulate(items: Sequence[BenchmarkItem[Referred]], marks: Sequence[Mark]) -> Table:
    """Return Pr@(F1=1, IoU>=0.5), N-acc and T-acc, and precision by the number of targets."""
    pairs = list(zip(items, marks, strict=True))
    empty = [one for item, one in pairs if not item.truth.boxes]
    full = [(item, one) for item, one in pairs if item.truth.boxes]
    given = [Mark(float(one.read not in ("", "[]")), fault=one.fault) for _, one in full]
    rows: dict[str, Row] = {"Pr@(F1=1, IoU>=0.5)": row(marks), "N-acc": row(empty), "T-acc": row(given)}
    for kind in (ONE, SEVERAL):
        own = [one for item, one in full if item.kinds["targets"] == kind]
        rows[f"Pr, {kind}"] = row(own)
    f1 = [Mark(one.numbers.get("f1", 0.0), fault=one.fault) for one in marks]
    return Table(rows | {"mean F1": row(f1)})


GREFCOCO = Benchmark(
    name="grefcoco",
    title="gRefCOCO: several targets, one, or none",
    layout="folder with grefs(unc).json, instances.json and train2014/ (--split val, testA, testB)",
    prompt_text=INSTRUCTION.format("<expression>"),
    metric="Pr@(F1=1, IoU>=0.5): places and true boxes pair off without rest, overlapping by 0.5 or more; "
    "for no target, that no place is given (N-acc). T-acc: some place is given where there are targets. All "
    "places count, whatever their scores",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="none of the five papers",
    unread="wrong, and counted as unparsed: malformed places, or a wholly empty reply",
    places=True,
    read_split=read_split,
)

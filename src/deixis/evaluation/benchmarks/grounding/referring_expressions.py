"""Referring expressions as Groma's program scores them: the first place against one or more boxes.

A COCO file with a picture entry an expression (MDETR's preparation of RefCOCO, RefCOCO+ and RefCOCOg): images
with id, file_name, width, height, caption; annotations with image_id and bbox x y w h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deixis.data.groma.boxes import MIN_SIDE, SIDE, centred, on_square
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.marking import row
from deixis.evaluation.benchmarks.predictions import identifier
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of
from deixis.files.json_files import Fields, read_json
from deixis.regions.overlap import Edges, iou

LEAST = 0.5  # IoU; a box has to have more
LEAST_SIDE = 1.0  # pixels of the original, for the published rules
FILES = ("refcoco*.json", "finetune_refcoco*.json", "*ref*.json")
FOLDERS = ("train2014", "images", "")
INSTRUCTION = "Locate {} in the image."


@dataclass(frozen=True)
class Referred:
    """What an expression means: boxes x0 y0 x1 y1 in pixels of a picture of ``width`` x ``height``."""

    boxes: tuple[Edges, ...]
    width: int
    height: int


def read(path: Path) -> list[BenchmarkItem[Referred]]:
    """Return the expressions of a file, or of the one such file in a folder; RecordError names the entry."""
    file = find_file(path, FILES, what="a file of referring expressions")
    return expressions_of(read_json(file), root=root_of(path))


def expressions_of(content: Fields, *, root: Path) -> list[BenchmarkItem[Referred]]:
    """Return the expressions of a file's content, in the order of its images."""
    boxes: dict[str, list[Edges]] = {}
    for entry in content.rows("annotations"):
        left, top, wide, high = entry.numbers("bbox", count=4)
        if min(wide, high) <= 0:
            raise RecordError(
                f"{entry.where}: bbox is {wide:g} wide and {high:g} high; expected x y width height"
            )
        own = boxes.setdefault(identifier(entry, "image_id"), [])
        own.append((left, top, left + wide, top + high))
    items: dict[str, BenchmarkItem[Referred]] = {}
    for entry in content.rows("images"):
        name = identifier(entry, "id")
        if name not in boxes or name in items:
            raise RecordError(
                f"{entry.where}: image {name!r} has no annotation, or stands here a second time"
            )
        width, height = (entry.whole(side, least=1) for side in ("width", "height"))
        items[name] = BenchmarkItem(
            id=name,
            pictures=(picture_file(root, entry.text("file_name"), where=entry.where, folders=FOLDERS),),
            question=entry.text("caption").strip(),
            truth=Referred(tuple(boxes[name]), width, height),
        )
    return list(items.values())


def prompt(item: BenchmarkItem[Referred]) -> str:
    """Return what is asked: the first of the published instructions, where the program draws one."""
    return INSTRUCTION.format(item.question)


def overlap(box: Edges, truth: Referred) -> float:
    """Return the most that a box in pixels overlaps with one that is meant."""
    return max((iou(box, one) for one in truth.boxes), default=0.0)


def published_overlap(box: NDArray[np.float32], truth: Referred) -> float:
    """Return the same as the published program computes it, in single precision.

    box: (4,), cx cy w h in fractions of the picture. What is meant is carried to the square that the network
    sees, cut there, and left out where it is not wider and higher than two of its pixels, or not as wide and
    high as one of the original.
    """
    large = [box for box in truth.boxes if min(box[2] - box[0], box[3] - box[1]) >= LEAST_SIDE]
    square = on_square(large, width=truth.width, height=truth.height, side=SIDE)
    means = corners(centred(square[MIN_SIDE.kept(square)]))  # (n, 4)
    own = corners(np.asarray(box, dtype=np.float32)[None])  # (1, 4)
    sides = (np.minimum(own[:, 2:], means[:, 2:]) - np.maximum(own[:, :2], means[:, :2])).clip(0)
    shared = sides[:, 0] * sides[:, 1]
    overlaps = shared / (sizes(own) + sizes(means) - shared)
    return float(np.nan_to_num(overlaps).max(initial=np.float32(0)))


def corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return boxes cx cy w h as x0 y0 x1 y1; (n, 4) both.

    >>> corners(np.array([[0.5, 0.5, 1, 0.5]], dtype=np.float32)).tolist()
    [[0.0, 0.25, 1.0, 0.75]]
    """
    half = np.float32(0.5) * boxes[:, 2:]
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def sizes(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return width times height (n,) of boxes x0 y0 x1 y1 (n, 4)."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def fractions(box: Edges, *, width: int, height: int) -> NDArray[np.float32]:
    """Return a box in pixels as cx cy w h in fractions of its picture (4,)."""
    x0, y0, x1, y1 = box
    own = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return np.array(own, dtype=np.float32)


def score(item: BenchmarkItem[Referred], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a place is what is meant; a reply without one is missing, and wrong.

    The place that counts is the surest one of the first phrase; by published rules the one that was named
    first, where the reply says which that is.
    """
    if not reply.places:
        why = reply.failures[0] if reply.failures else "the reply has no place"
        return unparsed(why, numbers={"iou": 0.0})
    published, truth = scoring.rules == "published", item.truth
    box = (reply.as_named if published else reply.places)[0].box
    if published:
        value = published_overlap(fractions(box, width=truth.width, height=truth.height), truth)
    else:
        value = overlap(box, truth)
    return Mark(float(value > LEAST), read=str(box), numbers={"iou": value})


def tabulate(items: Sequence[BenchmarkItem[Referred]], marks: Sequence[Mark]) -> Table:
    """Return accuracy, mean IoU and the share that had no place; all of all expressions."""
    ious = [Mark(one.numbers.get("iou", 0.0), fault=one.fault) for one in marks]
    missing = [Mark(float(one.fault in ("unparsed", "refused"))) for one in marks]
    return Table({"accuracy": row(marks), "mean_iou": row(ious), "missing": row(missing)})


REC = Benchmark(
    name="refcoco",
    title="RefCOCO, RefCOCO+ and RefCOCOg, by Groma's rules",
    layout="a JSON file in COCO's format, a picture entry an expression; pictures in train2014/ beside it",
    prompt_text=INSTRUCTION.format("<expression>"),
    metric="share of expressions whose place overlaps (IoU) by more than 0.5 with a box that is meant; of "
    "several places of a phrase the surest. Published rules: the place that the system named first, in "
    "single precision on a square of 448 pixels, boxes up to two pixels wide or high there left out",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Groma, table 2",
    unread="missing: wrong, and counted",
    places=True,
    rules=("corrected", "published"),
)

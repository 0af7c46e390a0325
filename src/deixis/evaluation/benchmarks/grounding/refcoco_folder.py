"""Folders in the layout of RefCOCO, RefCOCO+ and RefCOCOg as they were published, with their splits.

``refs(unc).p`` (``umd``, ``google``), ``instances.json`` and the pictures: every sentence of every reference
of a split is one expression.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deixis.data.sources.refcoco import locate_references, read_references
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem
from deixis.evaluation.benchmarks.grounding.referring_expressions import FOLDERS, REC, Referred
from deixis.evaluation.benchmarks.grounding.referring_expressions import read as read_file
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.files.json_files import Fields, read_json
from deixis.regions.overlap import Edges

INSTANCES = "instances.json"
ALL_FOLDERS = (*FOLDERS, "val2014")
DEFAULT_SPLIT = "val"


def read(path: Path) -> list[BenchmarkItem[Referred]]:
    """Return the expressions of a file of MDETR's preparation, or of a published folder's split ``val``."""
    return read_split(path, DEFAULT_SPLIT) if is_folder(path) else read_file(path)


def is_folder(path: Path) -> bool:
    """Tell whether a folder has the published layout."""
    return path.is_dir() and any(path.glob("refs(*).p"))


def read_split(path: Path, split: str) -> list[BenchmarkItem[Referred]]:
    """Return the expressions of a split, in the order of the references; RecordError lists the known ones."""
    if not is_folder(path):
        raise RecordError(f"{path} is no folder with refs(unc).p, refs(umd).p or refs(google).p")
    rows = list(read_references(locate_references(path, None)))
    chosen = rows_of_split(rows, split, where=str(path))
    images, boxes = images_and_boxes(path)
    items = []
    for row in chosen:
        image = image_of(row, images)
        number = row.whole("ann_id")
        if number not in boxes:
            raise RecordError(f"{row.where}: ann_id {number} is no annotation of {INSTANCES}")
        shown = picture_file(path, image.text("file_name"), where=image.where, folders=ALL_FOLDERS)
        width, height = (image.whole(side, least=1) for side in ("width", "height"))
        for place, sentence in enumerate(row.rows("sentences")):
            items.append(
                BenchmarkItem(
                    id=f"{row.whole('ref_id')}/{place}",
                    pictures=(shown,),
                    question=" ".join(sentence.text("sent").split()),
                    truth=Referred((boxes[number],), width, height),
                )
            )
    return items


def rows_of_split(rows: list[Fields], split: str, *, where: str) -> list[Fields]:
    """Return the references of a split; RecordError lists those that are there."""
    chosen = [row for row in rows if row.text("split") == split]
    if not chosen:
        known = ", ".join(sorted({row.text("split") for row in rows})) or "none"
        raise RecordError(f"{where} has no split {split!r}; it has: {known}")
    return chosen


def images_and_boxes(path: Path) -> tuple[dict[int, Fields], dict[int, Edges]]:
    """Return the images of ``instances.json`` and the boxes x0 y0 x1 y1 of its annotations, by their ids."""
    content = read_json(path / INSTANCES)
    images = {row.whole("id"): row for row in content.rows("images")}
    boxes: dict[int, Edges] = {}
    for row in content.rows("annotations"):
        left, top, wide, high = row.numbers("bbox", count=4)
        boxes[row.whole("id")] = (left, top, left + wide, top + high)
    return images, boxes


def image_of(row: Fields, images: dict[int, Fields]) -> Fields:
    """Return the image that a reference is about."""
    number = row.whole("image_id")
    if number not in images:
        raise RecordError(f"{row.where}: image_id {number} is no image of {INSTANCES}")
    return images[number]


REFCOCO = replace(
    REC,
    layout=f"{REC.layout}; or a published folder with refs(unc).p, instances.json and pictures (--split val, "
    "testA, testB, test)",
    read=read,
    read_split=read_split,
)

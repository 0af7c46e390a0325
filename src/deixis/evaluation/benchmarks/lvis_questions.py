"""Referring object classification on LVIS (Ferret, section 4.1): "Is the object … a cup or a dog?"

The published file of questions was never released (``lvis_objects`` makes one). Its format is one
JSON object a line: id, image_path, width, height, name, synonyms, neg_class, sample_point in pixels,
bbox_norm in fractions, free_shape_bbox_raw in pixels and free_shape_segment_mask as [width][height] of 0 and
1 (x first). Here the mask may also be COCO's run lengths, which are a thousand times shorter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deixis.answers.reading.dialects import STEPS, thousandth
from deixis.data.opening import stored_size, turned_edges, turned_mask
from deixis.errors import BadRegion, RecordError, UsageError
from deixis.evaluation.benchmarks.predictions import identifier
from deixis.evaluation.metrics.referring_classification import NamedObject
from deixis.evaluation.pointed import PointedQuestion, Pointing
from deixis.files.json_files import Fields, read_json_lines
from deixis.files.writing import write_whole
from deixis.regions.shapes import Mask

Form = Literal["point", "box", "free_shape"]
FORMS: tuple[Form, ...] = ("point", "box", "free_shape")
LONGEST_LINE = 256 << 20  # a mask is written out pixel by pixel


@dataclass(frozen=True)
class ClassificationRecord:
    """One object to be classified, in a picture of ``width`` x ``height`` pixels.

    point: x, y in pixels; box: x0, y0, x1, y1 in fractions of the picture; stroke: a free shape in its bounds
    ``stroke_box``, x0, y0, x1, y1 in pixels, the last ones inside. What a file lacks is None.
    """

    id: str
    picture: str
    width: int
    height: int
    called: NamedObject
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    stroke_box: tuple[float, float, float, float] | None = None
    stroke: Mask | None = None

    def pointing(self, form: Form) -> Pointing:
        """Return how a question points at the object; RecordError if there is no region of this form."""
        width, height = self.width, self.height
        if form == "point" and self.point is not None:
            x, y = self.point
            return Pointing("it", (thousandth(x, width), thousandth(y, height)), self.point)
        if form == "box" and self.box is not None:
            x0, y0, x1, y1 = self.box
            # The published text comes from the fractions themselves, so an edge may be written as 1000.
            steps = tuple(int(STEPS * edge) for edge in self.box)
            return Pointing("it", steps, (x0 * width, y0 * height, x1 * width, y1 * height))
        if form == "free_shape" and self.stroke_box is not None and self.stroke is not None:
            sides = (width, height, width, height)
            steps = tuple(map(thousandth, self.stroke_box, sides))
            return Pointing("it", steps, self.stroke_box, mask=self.stroke)
        if form not in FORMS:
            raise UsageError(f"region form is {form!r}; expected one of {', '.join(FORMS)}")
        raise RecordError(f"record {self.id!r} has no region of form {form!r}")

    def question(self, index: int, *, form: Form) -> PointedQuestion:
        """Return the question about the object, the ``index``-th of its file.

        The true name stands first for an even index, second for an odd one, so that always answering with the
        first earns one half.
        """
        first, second = self.called.name, self.called.other
        if index % 2:
            first, second = second, first
        return PointedQuestion(
            f"Is the object {{it}} of the image a {first} or a {second}?", (self.pointing(form),)
        )


def read_lvis_questions(path: Path) -> list[ClassificationRecord]:
    """Return the records of a file, in its order; RecordError names the line and the field that is wrong."""
    return [record_of(line) for line in read_json_lines(Path(path), largest_line=LONGEST_LINE)]


def write_lvis_questions(records: Iterable[ClassificationRecord], path: Path) -> None:
    """Write records as ``read_lvis_questions`` reads them; UsageError if the file cannot be written."""
    lines = [json.dumps(line_of(record), ensure_ascii=False) + "\n" for record in records]
    if not Path(path).parent.is_dir():
        raise UsageError(f"cannot write {str(path)!r}: there is no folder {str(Path(path).parent)!r}")
    write_whole(Path(path), "".join(lines))


def turned_record(record: ClassificationRecord, orientation: int) -> ClassificationRecord:
    """Return a record about a stored picture for the upright one. orientation: as EXIF counts it.

    A point is a pixel, and the last column and row of a stroke's bounds lie inside.
    """
    width, height = stored_size((record.width, record.height), orientation)
    size = {"width": width, "height": height}
    point, stroke_box = record.point, record.stroke_box
    if point is not None:
        x, y, _, _ = turned_edges((*point, point[0] + 1, point[1] + 1), orientation, **size)
        point = (x, y)
    if stroke_box is not None:
        left, top, right, bottom = stroke_box
        x0, y0, x1, y1 = turned_edges((left, top, right + 1, bottom + 1), orientation, **size)
        stroke_box = (x0, y0, x1 - 1, y1 - 1)
    return replace(
        record,
        width=width,
        height=height,
        point=point,
        box=None if record.box is None else turned_edges(record.box, orientation, width=1, height=1),
        stroke_box=stroke_box,
        stroke=None if record.stroke is None else turned_mask(record.stroke, orientation),
    )


def line_of(record: ClassificationRecord, *, written_out: bool = False) -> dict[str, Any]:
    """Return a record as the JSON object of its line; regions that it lacks are left out.

    written_out: the free form pixel by pixel, x first, as published programs read it, instead of run lengths.
    """
    line: dict[str, Any] = {
        "id": record.id,
        "image_path": record.picture,
        "width": record.width,
        "height": record.height,
        "name": record.called.name,
        "synonyms": list(record.called.synonyms),
        "neg_class": record.called.other,
    }
    if record.point is not None:
        line["sample_point"] = list(record.point)
    if record.box is not None:
        line["bbox_norm"] = list(record.box)
    if record.stroke_box is not None and record.stroke is not None:
        line["free_shape_bbox_raw"] = list(record.stroke_box)
        pixels = record.stroke.rasterise().T.astype(int).tolist() if written_out else None
        line["free_shape_segment_mask"] = record.stroke.to_coco() if pixels is None else pixels
    return line


def record_of(fields: Fields) -> ClassificationRecord:
    """Return one record; the regions may be missing, everything else may not."""
    width, height = (fields.whole(side, least=1) for side in ("width", "height"))
    point = numbers_or_none(fields, "sample_point", count=2)
    box = numbers_or_none(fields, "bbox_norm", count=4)
    stroke_box = numbers_or_none(fields, "free_shape_bbox_raw", count=4)
    return ClassificationRecord(
        id=identifier(fields, "id"),
        picture=fields.text("image_path"),
        width=width,
        height=height,
        called=named_object(fields),
        point=None if point is None else (point[0], point[1]),
        box=None if box is None else (box[0], box[1], box[2], box[3]),
        stroke_box=None
        if stroke_box is None
        else (stroke_box[0], stroke_box[1], stroke_box[2], stroke_box[3]),
        stroke=stroke_of(fields, width=width, height=height),
    )


def named_object(fields: Fields) -> NamedObject:
    """Return what an object may be called, from the fields name, synonyms and neg_class."""
    return NamedObject(fields.text("name"), fields.texts("synonyms"), fields.optional_text("neg_class") or "")


def numbers_or_none(fields: Fields, name: str, *, count: int) -> list[float] | None:
    """Return a list of numbers; None where the field is null or absent."""
    return None if fields.values.get(name) is None else fields.numbers(name, count=count)


def stroke_of(fields: Fields, *, width: int, height: int) -> Mask | None:
    """Return the free shape, stored x first or as run lengths; RecordError if it's not of this picture."""
    name = "free_shape_segment_mask"
    rows: Any = fields.values.get(name)
    if rows is None:
        return None
    if isinstance(rows, dict):
        return stroke_of_runs(rows, where=f"{fields.where}: field {name!r}", width=width, height=height)
    try:
        by_x = np.asarray(rows)
    except ValueError:
        by_x = np.empty(0)
    if by_x.shape != (width, height) or by_x.dtype.kind not in "biuf":
        raise RecordError(
            f"{fields.where}: field {name!r} is an array of shape {by_x.shape}; expected [width][height], so "
            f"({width}, {height}), of 0 and 1"
        )
    if not (by_x > 0).any():
        raise RecordError(f"{fields.where}: field {name!r} marks no pixel; expected a shape")
    return Mask.from_array((by_x > 0).T)  # (H, W)


def stroke_of_runs(encoded: dict[str, Any], *, where: str, width: int, height: int) -> Mask:
    """Return the free shape of COCO's run lengths."""
    try:
        mask = Mask.from_coco(encoded)
    except BadRegion as fault:
        raise RecordError(f"{where}: {fault}") from fault
    if (mask.width, mask.height) != (width, height):
        raise RecordError(
            f"{where} is {mask.width} x {mask.height} pixels; expected {width} x {height}, the picture's size"
        )
    return mask


def called_by_id(records: Mapping[str, ClassificationRecord]) -> dict[str, NamedObject]:
    """Return what the object of every id may be called, for ``score_classification``."""
    return {name: record.called for name, record in records.items()}

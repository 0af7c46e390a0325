from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.lvis_questions import called_by_id, read_lvis_questions, record_of
from deixis.files.json_files import Fields
from deixis.regions import Box, Frame, Mask, Point


def row(**changes: Any) -> dict[str, Any]:
    shape = [[int(2 <= x < 4 and y == 1) for y in range(4)] for x in range(8)]
    return {
        "id": 5,
        "image_path": "val2017/1.jpg",
        "width": 8,
        "height": 4,
        "sample_point": [3, 1],
        "bbox_norm": [0.25, 0.25, 0.5, 1.0],
        "name": "teddy_bear",
        "neg_class": "cup",
        "synonyms": ["teddy_bear"],
        "free_shape_bbox_raw": [2, 1, 3, 1],
        "free_shape_segment_mask": shape,
        **changes,
    }


@pytest.mark.parametrize(
    ("form", "written", "count"),
    [
        ("point", "[375, 250]", 8 * 4),
        ("box", "[250, 250, 500, 1000]", 3 * 3),
        ("free_shape", "[250, 250, 375, 250]", 2),
    ],
)
def test_questions(form: Any, written: str, count: int) -> None:
    record = record_of(Fields(row(), "1"))
    even, odd = record.question(0, form=form), record.question(1, form=form)
    assert even.written() == f"Is the object {written} <region_fea> of the image a teddy_bear or a cup?"
    assert odd.written(region_token=None) == f"Is the object {written} of the image a cup or a teddy_bear?"
    assert (
        even.written(coordinates=False) == "Is the object  <region_fea> of the image a teddy_bear or a cup?"
    )
    assert even.pointings[0].pixels(width=8, height=4).count == count


def test_regions_for_a_system() -> None:
    record, frame = record_of(Fields(row(), "1")), Frame.original(8, 4)
    assert record.question(0, form="point").regions(frame) == {"it": Point(3, 1, frame=frame)}
    assert record.question(0, form="box").regions(frame) == {"it": Box(2, 1, 4, 4, frame=frame)}
    (stroke,) = record.question(0, form="free_shape").regions(frame).values()
    assert isinstance(stroke, Mask) and stroke.bounds().as_tuple() == (2, 1, 4, 2)


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lvis.jsonl"
    without = {"sample_point": None, "free_shape_segment_mask": None, "id": "b"}
    path.write_text(json.dumps(row()) + "\n" + json.dumps(row(**without)) + "\n")
    first, second = read_lvis_questions(path)
    assert (first.id, first.picture, first.called.other) == ("5", "val2017/1.jpg", "cup")
    assert called_by_id({second.id: second})["b"].synonyms == ("teddy_bear",)
    for form in ("point", "free_shape"):
        with pytest.raises(RecordError, match=f"record 'b' has no region of form '{form}'"):
            second.question(0, form=form)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="expected one of point, box, free_shape"):
        second.question(0, form="circle")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0}, "'width' is 0"),
        ({"name": None}, "'name' is None"),
        ({"bbox_norm": [0, 1]}, "expected 4 finite numbers"),
        ({"free_shape_segment_mask": [[1] * 8] * 4}, r"shape \(4, 8\); expected \[width\]\[height\]"),
        ({"free_shape_segment_mask": [[1], [1, 2]]}, r"expected \[width\]\[height\]"),
        ({"free_shape_segment_mask": [["1"] * 4] * 8}, r"expected \[width\]\[height\]"),
        ({"free_shape_segment_mask": [[0] * 4] * 8}, "marks no pixel"),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        record_of(Fields(row(**changes), "lvis.jsonl:1"))

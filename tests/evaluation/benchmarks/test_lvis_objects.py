"""Questions made from LVIS annotations: what is chosen, what is drawn, and what never is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.lvis_objects import choose_lvis_objects, class_of, confusable, zigzag
from deixis.evaluation.benchmarks.lvis_questions import (
    FORMS,
    line_of,
    read_lvis_questions,
    write_lvis_questions,
)
from deixis.evaluation.metrics.referring_classification import NamedObject
from deixis.files.json_files import Fields
from tests.evaluation.lvis_files import annotation, lvis_content, lvis_file


def test_objects_and_other_classes(tmp_path: Path) -> None:
    records = choose_lvis_objects(lvis_file(tmp_path))
    assert len(records) == len({record.picture for record in records}) == 40
    others = {
        name: {one.called.other for one in records if one.called.name == name} for name in ("dog", "cup")
    }
    # What is there or may be: never; nor a hot dog beside a dog; everything else, sometimes.
    anything = {"cow", "teddy_bear", "monitor_(computer_equipment)"}
    assert others == {"dog": anything, "cup": anything | {"hot_dog"}}
    assert all(record.picture.startswith("val2017/") for record in records)
    assert {record.called.synonyms for record in records if record.called.name == "dog"} == {("dog", "puppy")}


def test_regions_lie_where_they_should(tmp_path: Path) -> None:
    content = lvis_content()
    boxes = {str(row["id"]): row["bbox"] for row in content["annotations"]}
    for record in choose_lvis_objects(lvis_file(tmp_path, content)):
        x, y, wide, high = boxes[record.id]
        # The outlines are the left half of the box.
        inside = np.zeros((record.height, record.width), dtype=bool)
        inside[y : y + high, x : x + wide // 2] = True
        assert record.box is not None and record.point is not None and record.stroke is not None
        sides = np.array([record.width, record.height] * 2)
        assert np.allclose(np.array(record.box) * sides, (x, y, x + wide, y + high))
        column, row = record.point
        assert column == int(column) and inside[int(row), int(column)]
        drawn = record.stroke.rasterise()
        assert (inside | ~drawn).all() and 0 < drawn.sum() < inside.sum()
        rows, columns = np.nonzero(drawn)
        assert record.stroke_box == (columns.min(), rows.min(), columns.max(), rows.max())


def test_choices_depend_on_the_seed_alone(tmp_path: Path) -> None:
    path = lvis_file(tmp_path)
    everything = choose_lvis_objects(path, seed=3)
    assert choose_lvis_objects(path, seed=3) == everything
    assert choose_lvis_objects(path, seed=3, limit=5) == everything[:5]
    points = choose_lvis_objects(path, seed=3, forms=("point",))
    assert [one.point for one in points] == [one.point for one in everything]
    assert {(one.box, one.stroke, one.stroke_box) for one in points} == {(None, None, None)}
    other = choose_lvis_objects(path, seed=4)
    assert [one.id for one in other] != [one.id for one in everything]
    # Both objects of a picture have their turn.
    assert {one.id for one in other} - {one.id for one in everything}


def test_pictures_come_from_one_folder_or_all(tmp_path: Path) -> None:
    content = lvis_content()
    content["images"][0]["coco_url"] = "http://images.cocodataset.org/train2017/1.jpg"
    path = lvis_file(tmp_path, content)
    assert len(choose_lvis_objects(path)) == 39
    assert [one.picture for one in choose_lvis_objects(path, pictures="train2017")] == ["train2017/1.jpg"]
    assert len(choose_lvis_objects(path, pictures=None)) == 40
    with pytest.raises(UsageError, match="no pictures in 'test2017'; it has some in: train2017, val2017"):
        choose_lvis_objects(path, pictures="test2017")


@pytest.mark.parametrize(
    "change", [{"bbox": [10, 5, 5, 3]}, {"segmentation": []}, {"segmentation": [[1, 1, 1, 1, 1, 1]]}]
)
def test_objects_that_cannot_be_pointed_at_are_passed_over(tmp_path: Path, change: dict[str, Any]) -> None:
    content = lvis_content(pictures=1)
    first, second = content["annotations"]
    first |= change
    for seed in range(4):
        (record,) = choose_lvis_objects(lvis_file(tmp_path, content), seed=seed)
        assert record.id == str(second["id"])
    content["annotations"] = [first]
    assert choose_lvis_objects(lvis_file(tmp_path, content)) == []


def test_without_another_class_nothing_is_asked(tmp_path: Path) -> None:
    content = lvis_content(pictures=1)
    content["categories"] = [row for row in content["categories"] if row["name"] in ("dog", "cup", "hot_dog")]
    records = [choose_lvis_objects(lvis_file(tmp_path, content), seed=seed) for seed in range(4)]
    assert {one.called.name for (one,) in records} == {"cup"}
    assert {one.called.other for (one,) in records} == {"hot_dog"}


def test_the_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    records = choose_lvis_objects(lvis_file(tmp_path), limit=7)
    write_lvis_questions(records, tmp_path / "questions.jsonl")
    assert read_lvis_questions(tmp_path / "questions.jsonl") == records
    lines = [json.dumps(line_of(record, written_out=True)) for record in records]
    (tmp_path / "long.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert read_lvis_questions(tmp_path / "long.jsonl") == records
    with pytest.raises(UsageError, match="cannot write"):
        write_lvis_questions(records, tmp_path / "nowhere" / "questions.jsonl")


def test_forms_that_were_left_out_are_not_written(tmp_path: Path) -> None:
    (record,) = choose_lvis_objects(lvis_file(tmp_path), limit=1, forms=("box",))
    assert "bbox_norm" in line_of(record)
    assert not {"sample_point", "free_shape_bbox_raw", "free_shape_segment_mask"} & set(line_of(record))


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ({"size": [4, 9], "counts": [1, 35]}, "is 9 x 4 pixels; expected 80 x 40"),
        ({"size": [4, 9]}, "needs 'counts'"),
    ],
)
def test_run_lengths_that_do_not_fit(tmp_path: Path, encoded: dict[str, Any], message: str) -> None:
    (record,) = choose_lvis_objects(lvis_file(tmp_path), limit=1)
    line = line_of(record) | {"free_shape_segment_mask": encoded}
    (tmp_path / "wrong.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(RecordError, match=message):
        read_lvis_questions(tmp_path / "wrong.jsonl")


@pytest.mark.parametrize(
    ("name", "synonyms", "called"),
    [
        ("crab_(animal)", ["crab_(animal)"], "crab_(animal)"),
        (
            "monitor_(computer_equipment) computer_monitor",
            ["monitor_(computer_equipment)", "computer_monitor"],
            "monitor_(computer_equipment)",
        ),
    ],
)
def test_a_class_has_one_name(name: str, synonyms: list[str], called: str) -> None:
    found = class_of(Fields({"name": name, "synonyms": synonyms}, "a"))
    assert found == NamedObject(called, tuple(synonyms))


def test_names_that_no_answer_tells_apart() -> None:
    crab = NamedObject("crab_(animal)", ("crab_(animal)",))
    assert confusable(crab, NamedObject("crab_(food)")) and confusable(NamedObject("cup"), NamedObject("cup"))
    assert confusable(NamedObject("measuring_cup"), NamedObject("cup"))
    assert not confusable(NamedObject("caterpillar"), NamedObject("cat"))


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_a_zigzag_of_few_pixels(shape: tuple[int, int]) -> None:
    pixels = np.zeros((40, 50), dtype=bool)
    pixels[3 : 3 + shape[0], 4 : 4 + shape[1]] = True
    for seed in range(20):
        drawn = zigzag(pixels, np.random.default_rng(seed)).rasterise()
        assert drawn.any() and not (drawn & ~pixels).any()


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("annotations", {"image_id": 99}, r"annotations\[0\]: image_id 99 is not in 'images'"),
        ("annotations", {"category_id": 99}, r"annotations\[0\]: category_id 99 is not in 'categories'"),
        ("images", {"coco_url": None}, r"images\[0\]: has neither 'coco_url' nor 'file_name'"),
        ("categories", {"name": 3}, r"categories\[0\]: field 'name' is 3"),
    ],
)
def test_mistakes_name_the_entry(tmp_path: Path, entry: str, change: dict[str, Any], message: str) -> None:
    content = lvis_content(pictures=1)
    content[entry][0] |= change
    with pytest.raises(RecordError, match=message):
        choose_lvis_objects(lvis_file(tmp_path, content))


def test_limits_and_forms_that_make_no_sense(tmp_path: Path) -> None:
    path = lvis_file(tmp_path)
    with pytest.raises(UsageError, match="limit is 0"):
        choose_lvis_objects(path, limit=0)
    for forms in ((), ("circle",)):
        with pytest.raises(UsageError, match=f"expected some of {', '.join(FORMS)}"):
            choose_lvis_objects(path, forms=forms)  # type: ignore[arg-type]


def test_run_lengths_as_outlines(tmp_path: Path) -> None:
    content = lvis_content(pictures=1)
    runs = {"size": [40, 80], "counts": [10 * 40 + 5, 9, 80 * 40 - 10 * 40 - 14]}
    content["annotations"] = [annotation(1, image=1, kind=1, segmentation=runs)]
    (record,) = choose_lvis_objects(lvis_file(tmp_path, content))
    assert record.stroke is not None and record.stroke.bounds().x1 == 11

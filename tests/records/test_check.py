"""Checking records: all problems of all lines, and what is legal but hardly meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.errors import RecordError
from deixis.records.check import check_records, count_records
from deixis.regions.shapes import Mask

GOOD: dict[str, Any] = {
    "picture": "photo.jpg",
    "frame": "pixels",
    "regions": {"a": {"box": [10, 5, 30, 25]}},
    "turns": [{"user": "What is {a}?", "assistant": "It is [a dog](a), not [a cat]()."}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (80, 40)).save(tmp_path / "photo.jpg")
    return tmp_path


def written(folder: Path, *lines: object) -> Path:
    path = folder / "records.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def placed(region: object, frame: str = "pixels") -> dict[str, Any]:
    return GOOD | {"frame": frame, "regions": {"a": region}, "turns": [{"user": "{a}?", "assistant": "yes"}]}


def test_a_good_file_has_no_problems_and_is_counted(folder: Path) -> None:
    path = written(folder, GOOD, GOOD | {"regions": {}, "turns": [{"user": "a", "assistant": "b"}]}, "")
    assert check_records(path) == []
    counts = count_records(path)
    assert (counts.records, counts.pictures, counts.turns, counts.phrases, counts.nowhere) == (2, 1, 2, 2, 1)
    assert counts.regions == {"box": 1}


def test_checking_goes_on_after_mistakes_in_a_line_and_in_a_record(folder: Path) -> None:
    several = GOOD | {
        "picture": "none.jpg",
        "frame": "percent",
        "regions": {"a": {"box": [1, 2]}, "b": {"point": "x"}},
        "turns": [{"user": "{z}", "assistant": "[x"}, {"user": "", "assistant": "[dog](a)"}, 5],
    }
    path = written(folder, "{", GOOD, several, GOOD | {"frame": 3})
    problems = check_records(path)
    assert [(problem.line, problem.field) for problem in problems] == [
        (1, ""),
        (3, "picture"),
        (3, "frame"),
        (3, "regions.a"),
        (3, "regions.b"),
        (3, "turns[0].user"),
        (3, "turns[0].assistant"),
        (3, "turns[1].user"),
        (3, "turns[2]"),
        (4, "frame"),
    ]
    assert count_records(path).records == 1


@pytest.mark.parametrize(
    ("record", "field", "message"),
    [
        (GOOD | {"regions": GOOD["regions"] | {"b": {"point": [1, 9]}}}, "regions.b", "is named in no turn"),
        (
            GOOD | {"turns": [{"user": "{a} {my dog}", "assistant": "b"}]},
            "turns[0].user",
            "speaks of {my dog}",
        ),
        (GOOD | {"turns": [{"user": "{a}", "assistant": "it is {a}"}]}, "turns[0].assistant", "plain text"),
        (placed({"box": [0.1, 0.2, 0.5, 0.9]}), "regions.a", "is it frame 'unit'?"),
        (placed({"polygon": [[0.1, 0.2], [0.5, 0.9], [0, 1]]}), "regions.a", "is it frame 'unit'?"),
        (placed({"box": [100, 200, 500, 900]}), "regions.a", "is it frame 'thousandths'?"),
        (placed({"point": [2000, 20]}), "regions.a", "lies outside the picture"),
        (placed({"box": [-20, -20, -10, -10]}), "regions.a", "lies outside the picture"),
        (placed({"box": [-20, 5, 10, 10]}), "regions.a", "sticks out of the picture"),
        (placed({"box": [10, 20, 30, 40]}, "unit"), "regions.a", "is it frame 'pixels'?"),
        (placed({"box": [100, 200, 300, 400]}, "unit"), "regions.a", "is it frame 'thousandths'?"),
        (placed({"box": [0.1, 0.2, 0.5, 0.9]}, "thousandths"), "regions.a", "is it frame 'unit'?"),
        (placed({"mask": Mask.from_array(np.ones((2, 2))).to_coco()}), "regions.a", "2 x 2"),
    ],
)
def test_doubts(folder: Path, record: object, field: str, message: str) -> None:
    (problem,) = check_records(written(folder, GOOD, record))
    assert (problem.line, problem.field) == (2, field)
    assert message in problem.message


@pytest.mark.parametrize(
    ("region", "frame"),
    [
        ({"box": [0, 0, 80, 40]}, "pixels"),
        ({"box": [0, 0, 1, 1]}, "unit"),
        ({"box": [0, 0, 1000, 1000]}, "thousandths"),
        ({"scribble": [[0, 0], [79.5, 39.5]]}, "pixels"),
    ],
)
def test_regions_up_to_the_edge_are_fine(folder: Path, region: object, frame: str) -> None:
    assert check_records(written(folder, placed(region, frame))) == []


def test_a_damaged_picture_is_a_problem_of_each_of_its_records(folder: Path) -> None:
    (folder / "bad.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:300])
    problems = check_records(
        written(folder, GOOD, GOOD | {"picture": "bad.jpg"}, GOOD | {"picture": "bad.jpg"})
    )
    assert [(problem.line, problem.field) for problem in problems] == [(2, "picture"), (3, "picture")]


def test_an_empty_file_is_a_problem_and_a_missing_one_an_error(folder: Path) -> None:
    (problem,) = check_records(written(folder, "", "  "))
    assert "empty" in problem.message
    with pytest.raises(RecordError, match="cannot be read"):
        check_records(folder / "none.jsonl")

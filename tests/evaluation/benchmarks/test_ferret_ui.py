from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import BadRegion, RecordError
from deixis.evaluation.benchmarks.ferret_ui import read_screen_items, score_texts, screen_item
from deixis.evaluation.pointed import Pointing
from deixis.files.json_files import Fields


def item(value: str = "<image>\nRead <bbox_location0>.", **changes: Any) -> dict[str, Any]:
    return {
        "id": 0,
        "image": "x.png",
        "image_w": 200,
        "image_h": 100,
        "conversations": [{"from": "human", "value": value}, {"from": "gpt", "value": "Sign in"}],
        "box_x1y1x2y2": [[[20, 10, 60, 30], [5, 6]]],
        **changes,
    }


def test_a_question_about_an_element(tmp_path: Path) -> None:
    path = tmp_path / "ocr.json"
    path.write_text(json.dumps([item()]))
    (one,) = read_screen_items(path)
    assert (one.id, one.picture, one.answer) == ("0", "x.png", "Sign in")
    assert one.question.written() == "Read [100, 100, 300, 300] <region_fea>."
    assert one.question.pointings[0].pixels(width=200, height=100).count == 41 * 21


def test_several_places_and_several_lines() -> None:
    value = "<image>\nIs <bbox_location1> in <bbox_location0>,\nor is <bbox_location1> not?"
    whole = screen_item(Fields(item(value), "a"))
    expected = (
        "Is [25, 60] <region_fea> in [100, 100, 300, 300] <region_fea>,\nor is [25, 60] <region_fea> not?"
    )
    assert whole.question.written() == expected
    assert [one.name for one in whole.question.pointings] == ["box1", "box0"]
    cut = screen_item(Fields(item(value), "a"), protocol="published")
    assert cut.question.written() == expected.split("\n")[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"box_x1y1x2y2": [[]]}, "<bbox_location0> has no box"),
        ({"box_x1y1x2y2": None}, "<bbox_location0> has no box"),
        ({"box_x1y1x2y2": [[[1, 2, 3]]]}, "<bbox_location0> has no box"),
        ({"conversations": []}, "the first turn is not of 'human'"),
        ({"conversations": [{"from": "gpt", "value": ""}]}, "the first turn is not of 'human'"),
        ({"image_w": 0}, "'image_w' is 0"),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        screen_item(Fields(item(**changes), "ocr.json[0]"))


def test_a_pointing_writes_what_it_means() -> None:
    with pytest.raises(BadRegion, match="as many written as meant"):
        Pointing("it", (1, 2), (1.0, 2.0, 3.0, 4.0))


def test_texts_are_compared_by_id() -> None:
    expected = {"a": "Sign in", "b": "Done", "c": "OK", "d": ""}
    answers = {"d": "", "c": "no", "b": '"done".', "a": "Sign in"}
    scores = score_texts(expected, answers)
    assert (scores.n, scores.value, scores.parse_failures) == (4, 0.5, 1)
    assert score_texts(expected, answers, protocol="published").value == 0.25
    assert score_texts({}, {}).value is None

"""Answers in the forms of other tools."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from deixis.errors import UsageError
from deixis.records.record import read_records
from deixis.studio.conversation import check_conversation
from deixis.studio.exports import exported
from tests.studio.answers import PICTURE, answer, box, dialogue
from tests.studio.test_records import unpacked


def test_coco_has_every_picture_with_answers_and_every_place() -> None:
    one = dialogue([answer(places=(box(1, 2, 30, 31), box(5, 5, 9, 9)))])
    other = dialogue([answer(places=(box(0, 0, 3, 3),))])
    content = json.loads(exported("coco", [one, dialogue(name="b.jpg"), other]).content)
    assert [image["file_name"] for image in content["images"]] == ["a.jpg", "1-a.jpg"]
    assert [found["bbox"] for found in content["annotations"]] == [[1, 2, 29, 29], [5, 5, 4, 4], [0, 0, 3, 3]]
    assert [category["name"] for category in content["categories"]] == ["dog"]


def test_label_studio_has_a_task_for_each_picture_with_answers() -> None:
    given = [dialogue([answer(places=(box(0, 0, 30, 20),))]), dialogue(name="b.jpg")]
    (task,) = json.loads(exported("label_studio", given).content)
    (result,) = task["predictions"][0]["result"]
    assert (result["value"]["width"], result["value"]["height"]) == (50, 50)


def test_a_drawn_answer_is_a_picture() -> None:
    file = exported("drawn", [dialogue([answer(places=(box(1, 2, 30, 31),))])])
    assert Image.open(io.BytesIO(file.content)).width == 640
    assert file.media_type == "image/png"


def test_answers_and_conversations_are_what_was_given() -> None:
    given = answer(places=(box(1, 2, 30, 31),))
    assert json.loads(exported("answers", [dialogue([given])]).content) == [given.to_dict()]
    content = json.loads(exported("conversation", [dialogue([given])]).content)
    assert check_conversation(content)["picture"]["digest"] == PICTURE.frame.content
    assert json.loads(exported("conversation", [dialogue()]).content)["turns"] == []


def test_records_are_of_checked_answers_and_of_the_first_of_two_models(tmp_path: Path) -> None:
    one, other, last = (answer(f"The dog {word}.", "The dog") for word in ("sits", "runs", "barks"))
    talk = dialogue([one, other], [last])
    assert taught(exported("records", [talk]).content, tmp_path / "a") == [one.text, last.text]
    talk = dialogue([one, other], [last], checked=[other])
    assert taught(exported("records", [talk, dialogue([one])]).content, tmp_path / "b") == [other.text]


def taught(content: bytes, folder: Path) -> list[str]:
    """Return the answers of a zip of records."""
    return [turn.answer for one in read_records(unpacked(content, folder)) for turn in one.turns]


@pytest.mark.parametrize(
    ("form", "count", "message"),
    [
        ("yolo", 1, "there is no export"),
        ("coco", 0, "no answer to export"),
        ("drawn", 2, "one answer; got 2"),
    ],
)
def test_what_cannot_be_exported_is_said(form: str, count: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        exported(form, [dialogue(*[[answer()]] * count)])

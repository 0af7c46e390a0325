"""Answers in the forms of other tools."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from deixis.errors import UsageError
from deixis.studio.exports import Answered, exported
from tests.studio.answers import PICTURE, answer, box


def test_coco_has_every_picture_and_place() -> None:
    one = Answered(PICTURE, "a.jpg", (answer(places=(box(1, 2, 30, 31), box(5, 5, 9, 9))),))
    other = Answered(PICTURE, "a.jpg", ())
    content = json.loads(exported("coco", [one, other]).content)
    assert [image["file_name"] for image in content["images"]] == ["a.jpg", "1-a.jpg"]
    assert [found["bbox"] for found in content["annotations"]] == [[1, 2, 29, 29], [5, 5, 4, 4]]
    assert [category["name"] for category in content["categories"]] == ["dog"]


def test_label_studio_has_a_task_for_each_picture_with_answers() -> None:
    given = [
        Answered(PICTURE, "a.jpg", (answer(places=(box(0, 0, 30, 20),)),)),
        Answered(PICTURE, "b.jpg", ()),
    ]
    (task,) = json.loads(exported("label_studio", given).content)
    (result,) = task["predictions"][0]["result"]
    assert (result["value"]["width"], result["value"]["height"]) == (50, 50)


def test_a_drawn_answer_is_a_picture() -> None:
    file = exported("drawn", [Answered(PICTURE, "a.jpg", (answer(places=(box(1, 2, 30, 31),)),))])
    assert Image.open(io.BytesIO(file.content)).width == 640
    assert file.media_type == "image/png"


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
        exported(form, [Answered(PICTURE, "a.jpg", (answer(),) * count)])

"""How rows of published schemas become dialogues: the rules one by one, and what is refused why."""

from __future__ import annotations

from typing import Any

import pytest

from deixis.data.instructions.captions import REQUEST, caption_of
from deixis.data.instructions.conversation import Asked, UnusableRow, conversation_of
from deixis.files.json_files import Fields


def row(*said: str, image: Any = None, first: str = "human") -> Fields:
    """A row whose turns alternate."""
    sides = ("human", "gpt") if first == "human" else ("gpt", "human")
    turns = [{"from": sides[n % 2], "value": text} for n, text in enumerate(said)]
    values: dict[str, Any] = {"id": "7", "conversations": turns}
    return Fields(values if image is None else {**values, "image": image}, "a.json[0]")


def turns(fields: Fields, **how: Any) -> list[Asked]:
    return list(conversation_of(fields, **how).turns)


def test_the_picture_is_moved_to_the_front_and_doubled_markers_are_one() -> None:
    for question in ("<image>\nWhat?", "What?\n<image>", "<image> <image>What?", "  <image>What?  "):
        assert turns(row(question, "A dog.", image="a.jpg")) == [Asked("What?", "A dog.", ("a.jpg",))]


def test_an_answer_at_the_beginning_is_dropped() -> None:
    assert turns(row("Hello.", "What?", "A dog.", first="gpt")) == [Asked("What?", "A dog.")]


def test_words_alone_have_no_picture() -> None:
    found = conversation_of(row("Hello?\n", "Hello."))
    assert not found.seen and found.turns == (Asked("Hello?\n", "Hello."),)


def test_a_picture_comes_with_the_question_that_marks_it() -> None:
    said = ("Hello?", "Hello.", "What?\n<image>", "A dog.")
    assert [one.images for one in turns(row(*said, image="a.jpg"))] == [(), ("a.jpg",)]


def test_a_picture_that_nothing_marks_is_shown_first_or_left_out_as_published() -> None:
    fields = row("What?", "A dog.", "Where?", "Here.", image="a.jpg")
    assert [one.images for one in turns(fields)] == [("a.jpg",), ()]
    assert [one.images for one in turns(fields, published=True)] == [(), ()]


def test_several_pictures_come_together_or_one_with_each_marked_question() -> None:
    pages = ["a.jpg", "b.jpg"]
    assert [one.images for one in turns(row("<image>Both?", "Yes.", "So?", "So.", image=pages))] == [
        ("a.jpg", "b.jpg"),
        (),
    ]
    assert [one.images for one in turns(row("<image>A?", "Yes.", "B? <image>", "No.", image=pages))] == [
        ("a.jpg",),
        ("b.jpg",),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (Fields({"id": "1"}, "a"), "no conversation"),
        (Fields({"conversations": []}, "a"), "no conversation"),
        (Fields({"conversations": [{"from": "human"}]}, "a"), "no conversation"),
        (row("What?"), "not human and gpt in turn"),
        (row("What?", "A dog.", "Where?"), "not human and gpt in turn"),
        (row("Hello.", first="gpt"), "not human and gpt in turn"),
        (
            Fields({"conversations": [{"from": "system", "value": "a"}, {"from": "gpt", "value": "b"}]}, "a"),
            "not human and gpt in turn",
        ),
        (row("What?", "  "), "empty answer"),
        (row("What?", "A <image>.", image="a.jpg"), "marker in an answer"),
        (row("<image>What?", "A dog."), "marker without a picture"),
        (row("<image>A?", "a", "<image>B?", "b", image="a.jpg"), "other numbers of markers and pictures"),
        (row("<image>A?", "a", image=7), "no name of a picture"),
        (row("<image>A?", "a", image=["a.jpg"] * 17), "no name of a picture"),
    ],
)
def test_what_no_sample_can_be_made_of(fields: Fields, reason: str) -> None:
    with pytest.raises(UnusableRow) as fault:
        conversation_of(fields)
    assert fault.value.reason == reason and str(fault.value).startswith("a")


def test_a_table_of_captions() -> None:
    documented = {"uid": "u", "url": "http://x/a.png", "key": "000012", "status": "success"}
    documented |= {"original_caption": "dog", "vlm_model": "m", "vlm_caption": " A dog runs. "}
    found = caption_of(Fields(documented, "t.csv: row 1"))
    assert found.turns == (Asked(REQUEST, "A dog runs.", ("000012.jpg",)),) and "000012" in found.name
    assert caption_of(Fields({**documented, "key": "a/b.webp"}, "t")).turns[0].images == ("a/b.webp",)
    assert caption_of(Fields({**documented, "image": "c.png"}, "t")).turns[0].images == ("c.png",)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": "error"}, "status of a failure"),
        ({"vlm_caption": " "}, "no caption"),
        ({"vlm_caption": 7}, "no caption"),
        ({"key": ""}, "no name of a picture"),
    ],
)
def test_rows_of_a_table_that_are_no_use(changed: dict[str, Any], reason: str) -> None:
    values = {"key": "1", "status": "success", "vlm_caption": "A dog runs."} | changed
    with pytest.raises(UnusableRow) as fault:
        caption_of(Fields(values, "t"))
    assert fault.value.reason == reason

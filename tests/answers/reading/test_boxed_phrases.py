"""Answers read for their users: phrases and boxes, and everything malformed reported and never a box."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.answers.reading.boxed_phrases import read_answer, read_boxes
from deixis.regions import Frame

ONE, TWO = (1, 2, 3, 4), (5, 6, 7, 8)


@pytest.mark.parametrize(
    ("text", "phrases", "words"),
    [
        ("man [1, 2, 3, 4].", [("man", [ONE])], "man."),
        (
            "There is a man [1, 2, 3, 4] and a dog [5, 6, 7, 8] here.",
            [("a man", [ONE]), ("a dog", [TWO])],
            "There is a man and a dog here.",
        ),
        (
            "The objects are: 1: cat [1, 2, 3, 4], 2: dog [5, 6, 7, 8].",
            [("cat", [ONE]), ("dog", [TWO])],
            "The objects are: 1: cat, 2: dog.",
        ),
        ("No, but there is a dog [1, 2, 3, 4] in it.", [("a dog", [ONE])], "No, but there is a dog in it."),
        # Several boxes of one phrase, however they are joined.
        ("two men [1, 2, 3, 4][5, 6, 7, 8].", [("two men", [ONE, TWO])], "two men."),
        ("two men [1, 2, 3, 4], [5, 6, 7, 8].", [("two men", [ONE, TWO])], "two men."),
        ("two men [1, 2, 3, 4] and [5, 6, 7, 8].", [("two men", [ONE, TWO])], "two men."),
        # Spacing is free where the numbers are sound.
        ("cup [1,2,3,4]", [("cup", [ONE])], "cup"),
        ("cup[ 1 , 2 , 3 , 4 ]", [("cup", [ONE])], "cup"),
        ("it [1, 2, 3, 4]", [("it", [ONE])], "it"),
        ("a “hat” [1, 2, 3, 4]", [("a “hat”", [ONE])], "a “hat”"),
        ("ein Hündchen 🐕 [1, 2, 3, 4]!", [("ein Hündchen", [ONE])], "ein Hündchen 🐕!"),
        ("file a.b [1, 2, 3, 4]", [("file a.b", [ONE])], "file a.b"),
        ("2.5 m of rope [1, 2, 3, 4]", [("2.5 m of rope", [ONE])], "2.5 m of rope"),
        # Without words the bracket itself is the phrase, and stays.
        ("[1, 2, 3, 4]", [("[1, 2, 3, 4]", [ONE])], "[1, 2, 3, 4]"),
        ("... [1, 2, 3, 4] [5, 6, 7, 8]", [("[1, 2, 3, 4]", [ONE, TWO])], "... [1, 2, 3, 4]"),
        # Brackets that hold no coordinates are words.
        ("the [sic] cup [1, 2, 3, 4] [EXIT 12]", [("cup", [ONE])], "the [sic] cup [EXIT 12]"),
        ("see [ a cup [1, 2, 3, 4]", [("a cup", [ONE])], "see [ a cup"),
        ("[see the cup [1, 2, 3, 4] there]", [("the cup", [ONE])], "[see the cup there]"),
        ("nothing", [], "nothing"),
        ("", [], ""),
    ],
)
def test_sound_answers(text: str, phrases: list[tuple[str, list[tuple[int, ...]]]], words: str) -> None:
    answer = read_answer(text)
    assert [(one.phrase, [box.steps for box in one.boxes]) for one in answer.phrases] == phrases
    assert answer.failures == ()
    assert answer.without_coordinates().text == words


@pytest.mark.parametrize(
    ("bracket", "fault"),
    [
        ("[10, 20]", "has 2 numbers"),
        ("[10]", "has 1 numbers"),
        ("[1, 2, 3]", "has 3 numbers"),
        ("[1, 2, 3, 4, 5]", "has 5 numbers"),
        ("[300, 2, 100, 4]", "needs x0 < x1"),
        ("[1, 400, 2, 100]", "needs x0 < x1 and y0 < y1"),
        ("[5, 2, 5, 4]", "needs x0 < x1"),
        ("[0, 0, 0, 0]", "needs x0 < x1"),
        ("[1, 2, 3, 1001]", "leaves the scale"),
        ("[1, 2, 3, 123456789]", "leaves the scale"),
        ("[1, 2, 3, " + "9" * 5000 + "]", "leaves the scale"),
        ("[1.5, 2, 3, 4]", "something else than whole numbers"),
        ("[-1, 2, 3, 4]", "something else than whole numbers"),
        ("[a, b, c, d]", "something else than whole numbers"),
        ("[1, 2, 3, x]", "something else than whole numbers"),
        ("[1 2 3 4]", "something else than whole numbers"),
        ("[1,, 2, 3]", "something else than whole numbers"),
        ("[١, ٢, ٣, ٤]", "something else than whole numbers"),
        ("[[1, 2, 3, 4]]", "within a bracket"),
        ("[1, [2, 3, 4, 5]]", "within a bracket"),
        ("[1, 2, 3", "not closed"),
        ("[[1, 2, 3, 4]", "not closed"),
        ("[", "not closed"),
    ],
)
def test_malformed_coordinates_are_reported(bracket: str, fault: str) -> None:
    answer = read_answer(f"a cup {bracket}")
    assert answer.phrases == ()
    assert len(answer.failures) == 1
    assert fault in answer.failures[0]
    assert answer.without_coordinates().text == f"a cup {bracket}"


def test_a_malformed_bracket_costs_no_other() -> None:
    answer = read_answer("a [1, 2] b [1, 2, 3, 4], c [9, 9, 1, 1] d [1, 2, 3")
    assert [one.phrase for one in answer.phrases] == ["b"]
    assert len(answer.failures) == 3
    assert answer.without_coordinates().text == "a [1, 2] b, c [9, 9, 1, 1] d [1, 2, 3"


def test_a_box_is_carried_into_its_picture() -> None:
    boxes, _ = read_boxes("[0, 250, 1000, 500]")
    assert boxes[0].box.clipped(Frame.original(640, 480)).as_tuple() == (0, 120, 640, 240)


PIECES = st.sampled_from(
    ["a dog", " ", ", ", ".", " and ", "[1, 2, 3, 4]", "[5,6,7,8]", "[1, 2]", "[", "]", "[x]", "\n", "é", "7"]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text("[]0123456789, .a", max_size=40))
def test_places_are_where_they_are_said_to_be(text: str) -> None:
    answer = read_answer(text)
    for read in (answer, answer.without_coordinates()):
        free = 0
        for one in read.phrases:
            assert free <= one.start < one.end
            assert read.text[one.start : one.end] == one.phrase
            free = one.end
    boxes = [box for one in answer.phrases for box in one.boxes]
    assert boxes == read_boxes(text)[0]
    for box in boxes:
        assert text[box.start] == "[" and text[box.end - 1] == "]"
        assert tuple(int(text[start:end]) for start, end in box.numbers) == box.steps
        assert 0 <= box.steps[0] < box.steps[2] <= 1000 and 0 <= box.steps[1] < box.steps[3] <= 1000


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "[x" * 20_000, "[1, " * 20_000, "a, " * 20_000, "[" + " " * 20_000]
)
def test_long_answers_are_read_in_no_time(text: str) -> None:
    started = time.process_time()
    read_answer(f"{text} [1, 2, 3, 4] {text}")
    assert time.process_time() - started < 5

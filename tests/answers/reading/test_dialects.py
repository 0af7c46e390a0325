"""Coordinates as text, and the published parsers on text that is odd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.answers.reading.dialects import (
    NotWholeNumbers,
    PhraseBox,
    TooFewNumbers,
    clamped,
    coordinate_text,
    exact_boxes,
    fill_placeholders,
    lettered_pairs,
    phrases_without_boxes,
    pixels_of,
    scored_phrases,
    tagged,
    thousandth,
    whole_numbers,
)
from deixis.errors import BadRegion, MalformedAnswer, UsageError

SIDES = st.integers(1, 5000)
THOUSAND = {"width": 1000, "height": 1000}


@pytest.mark.parametrize(
    ("values", "rounding", "text"),
    [
        ([10, 20, 300, 400], "published", "[15, 41, 468, 833]"),
        ([10, 20, 300, 400], "corrected", "[16, 42, 469, 833]"),
        ([320, 240], "published", "[500, 500]"),
        # Without clamping the far edge is written as 1000; with it, never.
        ([0, 0, 640, 480], "published", "[0, 0, 1000, 1000]"),
        ([0, 0, 639, 479], "published", "[0, 0, 998, 997]"),
    ],
)
def test_pixels_become_text(values: list[float], rounding, text: str) -> None:
    assert coordinate_text(values, width=640, height=480, rounding=rounding) == text


@given(SIDES, SIDES, st.lists(st.integers(-100, 6000), min_size=4, max_size=4))
def test_clamped_boxes_are_written_within_the_scale(width: int, height: int, box: list[int]) -> None:
    inside = clamped(box, width=width, height=height)
    steps = whole_numbers(coordinate_text(inside, width=width, height=height)[1:-1])
    assert all(0 <= step <= 999 for step in steps)


@given(SIDES, st.floats(0, 1))
def test_the_way_to_text_and_back_loses_at_most_a_step(side: int, share: float) -> None:
    value = share * side
    step = side / 1000
    assert value - step - 1e-6 <= thousandth(value, side) * step <= value + 1e-6
    assert abs(thousandth(value, side, rounding="corrected") * step - value) <= step / 2 + 1e-6
    (back, _) = pixels_of([thousandth(value, side), 0], width=side, height=1)
    assert value - step - 1 - 1e-6 <= back <= value + 1e-6


@pytest.mark.parametrize(
    "values", [[], [1], [1, 2, 3], [1, 2, 3, 4, 5], [1, float("nan")], [float("inf"), 1]]
)
def test_coordinates_that_are_none(values: list[float]) -> None:
    for write in (coordinate_text, clamped):
        with pytest.raises(BadRegion):
            write(values, **THOUSAND)


def test_an_empty_picture_or_an_unknown_rounding_is_refused() -> None:
    with pytest.raises(BadRegion, match="side is 0"):
        thousandth(1, 0)
    with pytest.raises(UsageError, match='expected "published" or "corrected"'):
        thousandth(1, 10, rounding="up")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("", []),
        ("no box", []),
        ("open [1, 2, 3", []),
        # Only what follows a box is looked through for a delimiter.
        ("Yes, a cat [1, 2, 3, 4]", ["Yes, a cat"]),
        ("a [1, 2, 3, 4] is lost; b [1, 2, 3, 4]! c [1, 2, 3, 4]", ["a", "b", "c"]),
        ("a [1, 2, 3, 4] and b [1, 2, 3, 4]", ["a", ""]),
        ("a [1, 2, 3, 4, 5]", ["a"]),
    ],
)
def test_scored_phrases(text: str, phrases: list[str]) -> None:
    assert scored_phrases(text, **THOUSAND) == [PhraseBox(phrase, (1, 2, 3, 4)) for phrase in phrases]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a [1.5, 2, 3, 4]", NotWholeNumbers),
        ("a [b]", NotWholeNumbers),
        ("a []", NotWholeNumbers),
        ("a [[1, 2, 3, 4]]", NotWholeNumbers),
        ("a] b", NotWholeNumbers),
        ("a [" + "9" * 10_000 + ", 2, 3, 4]", NotWholeNumbers),
        ("a [1, 2]", TooFewNumbers),
    ],
)
def test_malformed_brackets_stop_the_scoring_parser(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        scored_phrases(text, **THOUSAND)
    assert isinstance(raised.value, MalformedAnswer)


def test_exact_spacing_and_tags() -> None:
    text = "b [5, 6, 7, 8], a [1, 2, 3, 4] [5,6,7,8] b [5, 6, 7, 8]"
    assert exact_boxes(text) == [(5, 6, 7, 8), (1, 2, 3, 4)]
    assert tagged(text)[0] == "b [obj0], a [obj1] [5,6,7,8] b [obj0]"
    assert exact_boxes("[" + ", ".join(["9" * 5000] * 4) + "]") == []


def test_text_between_boxes() -> None:
    assert phrases_without_boxes("x [1, 2, 3, 4] . y is 2.5 m [1, 2, 3, 4].") == ["x", "y is 2.5 m"]
    assert phrases_without_boxes("[1, 2, 3, 4]") == []


def test_lettered_pairs() -> None:
    found = lettered_pairs("the dog [1, 2, 3, 4] x2 [5,6,7,8]. a\ncat  [5, 6,7,8]", **THOUSAND)
    assert [pair.phrase for pair in found] == ["the dog", "a\ncat"]
    for text, error in (("a [1, 2]", TooFewNumbers), ("a [1,,2,3,4]", NotWholeNumbers)):
        with pytest.raises(error):
            lettered_pairs(text, **THOUSAND)


@given(st.text("[]0123456789, .ab;", max_size=40))
def test_parsers_answer_or_say_that_a_bracket_is_malformed(text: str) -> None:
    for parse in (scored_phrases, lettered_pairs):
        try:
            found = parse(text, width=640, height=480)
        except MalformedAnswer:
            continue
        assert all(len(pair.box) == 4 for pair in found)
    new, boxes = tagged(text)
    assert new.count("[obj") >= len(boxes)
    assert len(set(boxes)) == len(boxes)


def test_placeholders() -> None:
    named = [(f"[region{i}]", f"[{i}, {i}]") for i in range(11)]
    text, order = fill_placeholders("[region10] [region1] [region1] [region11]", named)
    assert text == "[10, 10] <region_fea> [1, 1] <region_fea> [1, 1] <region_fea> [region11]"
    assert order == [10, 1, 1]
    assert fill_placeholders("none", []) == ("none", [])
    for wrong in ([("", "[1, 2]")], [("[r]", "[1, 2]"), ("[r]", "[3, 4]")]):
        with pytest.raises(UsageError, match="expected different, non-empty ones"):
            fill_placeholders("[r]", wrong)

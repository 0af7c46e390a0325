"""Answers check themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from deixis.answers import Answer, Place, Span
from deixis.errors import BadRegion, MalformedAnswer
from deixis.regions.frames import UNIT, Frame
from deixis.regions.shapes import Box
from tests.answers.made import FRAME, HEIGHT, WIDTH, answer, disc, picture, place


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf, "0.5", True, None])
def test_a_score_is_a_number_from_0_to_1(score: Any) -> None:
    with pytest.raises(MalformedAnswer, match=r"score of a place is .*expected a number from 0 to 1"):
        place(score=score)
    if score is not None:
        with pytest.raises(
            MalformedAnswer, match=r"nowhere_score of 'dog' is .*expected a number from 0 to 1"
        ):
            Span(0, 3, "dog", (), False, score)


@pytest.mark.parametrize("score", [0, 1, 0.5, np.float32(0.25), np.int64(1)])
def test_scores_become_ordinary_floats(score: Any) -> None:
    assert type(place(score=score).score) is float
    assert type(Span(0, 3, "dog", (), False, score).nowhere_score) is float


@pytest.mark.parametrize(
    "edges",
    [(-1e-9, 0, 5, 5), (0, -1, 5, 5), (0, 0, WIDTH + 1e-6, 5), (0, 0, 5, HEIGHT + 1), (200, 200, 300, 300)],
)
def test_a_place_lies_in_the_picture(edges: tuple[float, ...]) -> None:
    with pytest.raises(MalformedAnswer, match=r"sticks out of the picture .*160x90; cut it: box.clipped"):
        place(*edges)


def test_a_place_may_be_the_whole_picture() -> None:
    assert place(0, 0, WIDTH, HEIGHT).box.area == WIDTH * HEIGHT


@pytest.mark.parametrize(
    "box",
    [
        Box(1, 2, 3, 4),
        Box(0.1, 0.2, 0.3, 0.4, frame=UNIT),
        Box(1, 2, 3, 4, frame=FRAME.resized(80, 45)),
        Box(1, 2, 3, 4, frame=FRAME.thousandths()),
        Box(1, 2, 3, 4, frame=FRAME.cropped(10, 10, 50, 50)),
    ],
)
def test_a_place_is_in_pixels_of_the_original(box: Box) -> None:
    with pytest.raises(MalformedAnswer, match=r"this box is in frame .*box.to\(picture.frame\)"):
        Place(box, 0.5)


def test_a_place_has_area() -> None:
    with pytest.raises(BadRegion, match="needs x0 < x1"):
        place(10, 10, 10, 20)


def test_a_mask_is_in_the_frame_of_its_box() -> None:
    with pytest.raises(MalformedAnswer, match="the mask of a place is in frame pixels 100x100"):
        place(mask=disc(Frame.original(100, 100)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((3, 3, ""), "0 or more to a larger end; got 3 to 3"),
        ((5, 3, "dog"), "got 5 to 3"),
        ((-1, 3, "dog"), "got -1 to 3"),
        ((0, 3, "dog", (place(),), True, 0.9), "'dog' is said to be nowhere, but has 1 places"),
        ((0, 3, "dog", (), True, None), "'dog' is said to be nowhere; expected a nowhere_score"),
        ((0, 3, "dog", (place(score=0.1), place(score=0.2))), r"sorted best first; got scores \[0.1, 0.2\]"),
    ],
)
def test_a_span_that_contradicts_itself_is_refused(values: tuple[Any, ...], message: str) -> None:
    with pytest.raises(MalformedAnswer, match=message):
        Span(*values)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ((Span(2, 5, "cat"),), "span 2:5 should read 'cat'; the text reads 'dog'"),
        ((Span(18, 21, "t.!"),), "span 18:21 leaves the text of 19 characters"),
        ((Span(15, 18, "cat"), Span(2, 5, "dog")), "2:5 begins before the last one ends, at 18"),
        ((Span(2, 5, "dog"), Span(4, 8, "g, b")), "4:8 begins before the last one ends, at 5"),
    ],
)
def test_spans_lie_in_the_text_in_order_and_apart(spans: tuple[Span, ...], message: str) -> None:
    with pytest.raises(MalformedAnswer, match=message):
        answer(spans=spans)


def test_spans_may_touch() -> None:
    assert len(answer(spans=(Span(2, 5, "dog"), Span(5, 6, ","))).spans) == 2


def test_places_belong_to_the_picture_of_the_answer() -> None:
    with pytest.raises(
        MalformedAnswer, match=r"place in frame pixels 160x90, but the answer is about pixels 200x90"
    ):
        answer(pictures=picture(200, 90))


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_seconds_are_0_or_more(seconds: float) -> None:
    with pytest.raises(MalformedAnswer, match="seconds; expected 0 or more"):
        answer(seconds=seconds)


@pytest.mark.parametrize(
    ("spans", "nowhere", "score"),
    [
        ((), False, None),
        ((Span(2, 5, "dog", (), True, 0.8),), True, 0.8),
        ((Span(2, 5, "dog", (place(),), False, 0.1),), False, 0.1),
        ((Span(2, 5, "dog", (place(),)),), False, None),
        ((Span(2, 5, "dog"),), False, None),
        ((Span(2, 5, "dog", (place(),), False, 0.1), Span(15, 18, "cat", (), True, 0.9)), False, 0.1),
        ((Span(2, 5, "dog", (), True, 0.6), Span(15, 18, "cat", (), True, 0.9)), True, 0.6),
        ((Span(2, 5, "dog", (place(),)), Span(15, 18, "cat", (), True, 0.9)), False, None),
    ],
)
def test_an_answer_is_nowhere_if_every_span_is(
    spans: tuple[Span, ...], nowhere: bool, score: float | None
) -> None:
    made = answer(spans=spans)
    assert (made.nowhere, made.nowhere_score) == (nowhere, score)


def test_answers_are_values() -> None:
    assert answer() == answer() == answer(spans=list(answer().spans))
    assert hash(answer()) == hash(answer())
    assert answer() != answer(text="A dog, but no  cat?")
    with pytest.raises(AttributeError):
        answer().text = "changed"  # type: ignore[misc]
    assert "pixels=" not in repr(answer())


def test_draw_is_offered_by_the_answer() -> None:
    assert Answer.draw(answer()).size[0] >= 640

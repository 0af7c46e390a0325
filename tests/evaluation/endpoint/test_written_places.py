"""Coordinates in words: written in every frame, read strictly and leniently, never the better of two."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import UsageError
from deixis.evaluation.endpoint.wording import worded_question
from deixis.evaluation.endpoint.written_frames import FRAMES, find_frame, write_region
from deixis.evaluation.endpoint.written_places import READINGS, read_places, without_coordinates
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box, Point, Scribble

PICTURE = open_picture(np.zeros((100, 200, 3), np.uint8))
WHOLE = (2.0, 2.0, 60.0, 40.0)  # [10, 20, 300, 400] in thousandths


def boxes(text: str, reading: str, frame: str = "thousandths") -> list[tuple[float, ...]]:
    read = read_places(text, PICTURE, FRAMES[frame], reading=reading)  # type: ignore[arg-type]
    return [place.box.as_tuple() for span in read.spans for place in span.places]


def failures(text: str) -> int:
    return len(read_places(text, PICTURE, FRAMES["thousandths"], reading="strict").failures)


@pytest.mark.parametrize(
    ("text", "strict", "lenient", "failed"),
    [
        ("The dog is at [10, 20, 300, 400].", [WHOLE], [WHOLE], 0),
        ('{"bbox_2d": [10, 20, 300, 400], "label": "a"}', [WHOLE], [WHOLE], 0),
        ("<box>(10,20),(300,400)</box>", [], [WHOLE], 0),
        ('{"x0": 10, "y0": 20, "x1": 300, "y1": 400}', [], [WHOLE], 0),
        ("[300, 20, 10, 400]", [], [WHOLE], 1),
        ("[10, 20, 300, 400] and [1, 2]", [WHOLE], [WHOLE], 1),
        ("[1, 2, 3, 4000]", [], [(0.2, 0.2, 0.6, 100.0)], 1),
        ("(about 3 dogs and 4 cats, 5, 6)", [], [], 0),
        ("[5, 5, 5, 9]", [], [], 1),
        ("[sic] no numbers", [], [], 0),
    ],
)
def test_two_readings(text: str, strict: list[object], lenient: list[object], failed: int) -> None:
    assert boxes(text, "strict") == strict and boxes(text, "lenient") == lenient
    assert failures(text) == failed


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("nowhere.", True, True),
        ("There is no such dog.", False, True),
        ("It is nowhere [1, 2, 3, 4]", False, False),
    ],
)
def test_nowhere(text: str, strict: bool, lenient: bool) -> None:
    for reading, expected in zip(READINGS, (strict, lenient), strict=True):
        spans = read_places(text, PICTURE, FRAMES["thousandths"], reading=reading).spans
        assert any(span.nowhere for span in spans) is expected


@given(
    st.sampled_from(sorted(FRAMES)),
    st.integers(0, 150),
    st.integers(0, 60),
    st.integers(8, 50),
    st.integers(8, 40),
)
def test_what_is_written_is_read_back(name: str, x: int, y: int, wide: int, high: int) -> None:
    box = Box(x, y, x + wide, y + high, frame=PICTURE.frame)
    frame = FRAMES[name]
    written = write_region(box, PICTURE.frame, frame)
    for reading in READINGS:
        (read,) = boxes(written, reading, name)
        assert read == pytest.approx(box.as_tuple(), abs=0.51 * 200 / (frame.extent or 200) + 0.11)


def test_other_regions_are_written() -> None:
    frame = find_frame("unit", decimals=2)
    assert write_region(Point(50, 50), PICTURE.frame, frame) == "(0.25, 0.50)"
    assert (
        write_region(Scribble(((0, 0), (200, 100))), PICTURE.frame, frame) == "[(0.00, 0.00), (1.00, 1.00)]"
    )
    assert write_region(Box(0, 10, 20, 50), PICTURE.frame, FRAMES["thousandths_yx"]) == "[100, 0, 500, 100]"
    long = Scribble(tuple((n, n) for n in range(100)))
    assert write_region(long, PICTURE.frame, frame).count("(") == 25


def test_prompts_say_the_frame_where_coordinates_are() -> None:
    def asked(text: str, *, places: bool, **regions: Box) -> str:
        return worded_question(text, regions, PICTURE, FRAMES["pixels"], places=places)

    assert asked("is there a dog?", places=False) == "is there a dog?"
    assert asked("what is {it}?", places=False, it=Box(1, 2, 3, 4)) == (
        "what is [1, 2, 3, 4]?\nBoxes are written as [x0, y0, x1, y1], points as (x, y), in pixels of the "
        "picture of 200 x 100, from its upper left corner."
    )
    assert "answer: nowhere" in asked("where is a dog?", places=True)
    with pytest.raises(UsageError, match="speaks of"):
        asked("what is {that}?", places=False)


def test_words_without_coordinates() -> None:
    text = "A man [10, 20, 300, 400] and a dog [1, 2, 3, 4]."
    read = read_places(text, PICTURE, FRAMES["thousandths"], reading="strict")
    words, spans = without_coordinates(text, read)
    assert words == "A man and a dog."
    assert [(words[span.start : span.end], span.phrase) for span in spans] == [
        ("A man", "A man"),
        ("and a dog", "and a dog"),
    ]
    alone = "[10, 20, 300, 400]"
    words, spans = without_coordinates(alone, read_places(alone, PICTURE, FRAMES["unit"], reading="lenient"))
    assert words == alone


def test_mistakes_and_long_replies() -> None:
    with pytest.raises(UsageError, match="thousandths"):
        find_frame("inches")
    with pytest.raises(UsageError, match="--decimals is 9"):
        find_frame("unit", decimals=9)
    started = time.perf_counter()
    for piece in ("[", "(1, ", "[1, 2, ", '{"x0": '):
        for reading in READINGS:
            read = read_places(piece * 20_000, PICTURE, FRAMES["unit"], reading=reading)
            without_coordinates(piece * 20_000, read)
    assert time.perf_counter() - started < 5

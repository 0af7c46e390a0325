"""Drawn answers: everything is shown, and nothing leaves the drawing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFont

from deixis.answers import Answer, Span, draw
from deixis.answers.drawing.drawn_answer import GROUND, LEAST_LONG_SIDE, Sheet
from deixis.answers.drawing.footer import footer, lines_of, shortened
from deixis.answers.drawing.palette import BLACK, COLOURS, colour_of, ink_on, luminance
from deixis.pictures.opening import open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from tests.answers.made import FRAME, answer, disc, picture, place

FONT = ImageFont.load_default(size=16)


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have just this colour."""
    return int((np.asarray(image) == colour).all(axis=2).sum())


def plain(width: int, height: int, **changes: Any) -> Answer:
    """An answer about a picture of one colour."""
    given = open_picture(np.full((height, width, 3), 90, np.uint8))
    if (width, height) == FRAME.size:  # what is drawn speaks of the made-up picture
        given = replace(given, frame=FRAME)
    return answer(**{"pictures": given, "spans": (), **changes})


def test_places_have_the_colour_of_their_span() -> None:
    spans = (Span(2, 5, "dog", (place(5, 30, 60, 80),)), Span(15, 18, "cat", (place(80, 30, 150, 80),)))
    image = draw(plain(160, 90, spans=spans))
    assert image.width == LEAST_LONG_SIDE and image.height > 360
    assert count(image, colour_of(0)) > 500 and count(image, colour_of(1)) > 500
    assert count(image, colour_of(2)) == 0
    # The left edge of the first box, which is enlarged four times.
    assert tuple(np.asarray(image)[55 * 4, 5 * 4 + 1].tolist()) == colour_of(0)
    assert tuple(np.asarray(image)[55 * 4, 40 * 4].tolist()) == (90, 90, 90)


def test_a_span_that_is_nowhere_is_underlined_and_noted() -> None:
    nowhere = Span(15, 18, "cat", (), True, 0.9)
    image = draw(plain(640, 320, spans=(nowhere,)))
    top, strip = image.crop((0, 0, 640, 320)), image.crop((0, 320, *image.size))
    assert count(top, colour_of(0)) == 0 and count(strip, colour_of(0)) > 20
    assert image.height > draw(plain(640, 320)).height


def test_masks_are_blended() -> None:
    image = draw(plain(160, 90, spans=(Span(2, 5, "dog", (place(20, 10, 60, 40, mask=disc()),)),)))
    assert tuple(np.asarray(image)[22 * 4, 40 * 4].tolist()) == tuple(
        round(90 * 0.55 + channel * 0.45) for channel in colour_of(0)
    )


@pytest.mark.parametrize(
    "region",
    [
        Point(80, 45, frame=FRAME),
        Point(0, 0, frame=FRAME),
        Point(160, 90, frame=FRAME),
        Box(20, 20, 90, 70, frame=FRAME),
        Box(0, 0, 160, 90, frame=FRAME),
        Polygon([(10, 80), (80, 10), (150, 80)], frame=FRAME),
        Scribble([(10, 80), (80, 10), (150, 80)], frame=FRAME),
        Scribble([(80, 45)], frame=FRAME),
        disc(),
        Mask.from_array(np.ones((90, 160)), frame=FRAME),
        Box(0.2, 0.2, 0.5, 0.5, frame=FRAME.unit()),
    ],
    ids=lambda region: type(region).__name__,
)
def test_regions_are_drawn_in_black_and_white_with_their_name(region: Region) -> None:
    without, image = draw(plain(160, 90)), draw(plain(160, 90, regions=(("it", region),)))
    assert image.size == without.size
    picture_part = (0, 0, 640, 360)
    assert count(without.crop(picture_part), (255, 255, 255)) == 0
    assert count(image.crop(picture_part), (255, 255, 255)) > 20
    assert count(image.crop(picture_part), BLACK) > 100


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (40, 30), (640, 640), (1300, 700)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    width, height = size
    frame = Frame.original(width, height)
    spans = (
        Span(2, 5, "dog", (place(0, 0, width, height, frame=frame), place(0, 0, 0.5, 0.5, frame=frame))),
    )
    regions = (("it", Point(width, height, frame=frame)), ("a", Box(0, 0, width, height / 2, frame=frame)))
    image = draw(plain(width, height, spans=spans, regions=regions))
    assert image.width >= 360 and image.height >= 72
    assert max(image.size) >= LEAST_LONG_SIDE


def test_a_large_picture_is_not_resized() -> None:
    made = answer(pictures=picture(1200, 800), spans=())
    shown = np.asarray(draw(made))[:800]
    assert np.array_equal(shown, made.picture.pixels)


def test_a_narrow_picture_stands_on_a_wider_ground() -> None:
    assert count(draw(plain(10, 640)), GROUND) > 200 * 600


def test_labels_stay_inside_and_apart() -> None:
    sheet = Sheet.of(picture(640, 480))
    boxes = [Box(600, 0, 640, 40), Box(600, 2, 640, 42), Box(0, 470, 30, 480), Box(0, 0, 640, 480)]
    for box in boxes * 3:
        sheet.label("a phrase 0.50", box.bind(sheet.frame.root), (86, 180, 233))
    for number, (x0, y0, x1, y1) in enumerate(sheet.taken):
        assert x0 >= 0 and y0 >= 0 and x1 <= 640 and y1 <= 480
        assert sheet.covered((round(x0), round(y0)), round(x1 - x0), round(y1 - y0)) == (x1 - x0) * (
            y1 - y0
        ), number


def test_a_long_phrase_is_shortened() -> None:
    sheet = Sheet.of(picture(640, 480))
    sheet.label("word " * 100, Box(300, 200, 400, 300, frame=sheet.frame.root), COLOURS[0])
    x0, _, x1, _ = sheet.taken[0]
    assert x0 >= 0 and x1 <= 640
    short = shortened("word " * 100, FONT, width=100)
    assert short.endswith("…") and FONT.getlength(short) <= 100
    assert shortened("word", FONT, width=100) == "word"


@pytest.mark.parametrize(
    "text",
    ["one two three four five", "a" * 300, "one " + "b" * 100 + " two", "two\nlines\r\n\nthere", "", " "],
)
def test_lines_fit_and_hold_every_word(text: str) -> None:
    lines = lines_of(text, FONT, width=90)
    assert all(FONT.getlength(words) <= 90 for _, words in lines)
    assert all(text[start : start + len(words)] == words for start, words in lines)
    assert "".join("".join(words.split()) for _, words in lines) == "".join(text.split())


def test_lines_break_at_spaces() -> None:
    assert [words for _, words in lines_of("one two three", FONT, width=FONT.getlength("one two t"))] == [
        "one two",
        "three",
    ]


def test_an_endless_text_is_cut() -> None:
    assert lines_of("no " * 100_000, FONT, width=600)[-1][1].endswith("…")
    assert footer(plain(64, 64, text="no " * 100_000), width=640, text_size=16).height < 1500


def test_the_footer_grows_with_what_there_is_to_say() -> None:
    heights = [
        footer(made, width=640, text_size=16).height
        for made in (
            answer(spans=()),
            answer(spans=(), question="Where is {it}?"),
            answer(question="Where is {it}?"),
            answer(question="Where is {it}?", parse_failures=("the answer stopped",)),
        )
    ]
    assert heights == sorted(set(heights))


def test_letters_that_the_font_has_not_are_no_fault() -> None:
    spans = (Span(0, 2, "🐕🐈", (place(),)),)
    assert draw(plain(160, 90, text="🐕🐈 狗\u200d\t!", spans=spans)).width == 640


def test_an_answer_without_words_is_drawn() -> None:
    assert draw(plain(64, 64, text="")).height > 640


@pytest.mark.parametrize("colour", COLOURS)
def test_ink_is_readable_on_every_colour(colour: tuple[int, int, int]) -> None:
    light, dark = sorted((luminance(colour), luminance(ink_on(colour))))[::-1]
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_colours_are_distinct_and_begin_anew() -> None:
    assert len(set(COLOURS)) == len(COLOURS) == 7
    assert colour_of(7) == colour_of(0)

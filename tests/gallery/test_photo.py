import numpy as np
import pytest
from PIL import Image

from deixis.answers.drawing.palette import colour_of
from deixis.answers.grounded import Answer, Place, Span
from deixis.gallery.photo import draw_answers, draw_phrases
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Point

GREY = 128


@pytest.fixture
def picture() -> Picture:
    return open_picture(np.full((480, 640, 3), GREY, np.uint8))


def placed(picture: Picture, *boxes: tuple[float, float, float, float]) -> Answer:
    words = "abcdefg"[: len(boxes)]
    spans = tuple(
        Span(n, n + 1, words[n], (Place(Box(*box, frame=picture.frame), 0.5),)) for n, box in enumerate(boxes)
    )
    return Answer(words or "none", spans, picture, "fake", 0.0)


def has(image: Image.Image, colour: tuple[int, int, int], area: tuple[int, int, int, int]) -> int:
    """How many pixels of an area have exactly this colour."""
    return int((np.array(image.crop(area)) == colour).all(axis=-1).sum())


def test_each_question_has_its_colour(picture: Picture) -> None:
    answers = [(1, placed(picture, (50, 60, 200, 300)), ()), (4, placed(picture, (350, 60, 600, 300)), ())]
    drawn = draw_answers(picture, answers)
    assert drawn.size == (640, 480)
    left, right = (0, 0, 300, 480), (300, 0, 640, 480)
    assert has(drawn, colour_of(0), left) > 1000 and has(drawn, colour_of(0), right) == 0
    assert has(drawn, colour_of(3), right) > 1000 and has(drawn, colour_of(3), left) == 0


def test_what_was_meant_is_dashed_and_labelled(picture: Picture) -> None:
    meant = Box(300, 100, 600, 400, frame=picture.frame)
    drawn = draw_answers(picture, [(1, placed(picture), (meant,))])
    edge = np.array(drawn)[150:390, 292:304]  # the left one
    coloured = (edge == colour_of(0)).all(axis=-1).any(axis=1)
    assert 0.3 < coloured.mean() < 0.7
    assert np.abs(np.diff(coloured.astype(int))).sum() > 10
    assert has(drawn, (255, 255, 255), (280, 40, 640, 110)) > 300  # the ground of "1 meant"


def test_what_was_meant_shows_beside_the_very_same_box_that_was_pointed_at(picture: Picture) -> None:
    same = Box(300, 100, 600, 400, frame=picture.frame)
    pointing = Answer("A dog.", (), picture, "fake", 0.0, regions=(("it", same),))
    drawn = draw_answers(picture, [(1, placed(picture), (same,)), (2, pointing, ())])
    assert has(drawn, colour_of(0), (280, 90, 620, 420)) > 500


def test_boxes_at_the_edge_stay_in_the_photo(picture: Picture) -> None:
    whole = Box(0, 0, 640, 480, frame=picture.frame)
    drawn = draw_answers(picture, [(1, placed(picture), (whole,))])
    assert has(drawn, colour_of(0), (0, 0, 8, 480)) > 100
    assert has(drawn, colour_of(0), (632, 0, 640, 480)) > 100


def test_a_point_is_black_and_white(picture: Picture) -> None:
    answer = Answer(
        "A dog.", (), picture, "fake", 0.0, regions=(("it", Point(320, 240, frame=picture.frame)),)
    )
    drawn = np.array(draw_answers(picture, [(3, answer, ())]).convert("RGB"))
    changed = drawn[(drawn != GREY).any(axis=-1)]
    assert len(changed) > 100
    assert (changed.max(axis=-1) == changed.min(axis=-1)).all()


def test_phrases_have_colours_of_their_own(picture: Picture) -> None:
    drawn = draw_phrases(placed(picture, (50, 60, 200, 300), (350, 60, 600, 300)))
    assert has(drawn, colour_of(0), (0, 0, 300, 480)) > 1000
    assert has(drawn, colour_of(1), (300, 0, 640, 480)) > 1000


def test_a_small_photo_is_enlarged() -> None:
    small = open_picture(np.full((90, 60, 3), GREY, np.uint8))
    assert draw_answers(small, [(1, placed(small, (5, 5, 50, 80)), ())]).height == 640

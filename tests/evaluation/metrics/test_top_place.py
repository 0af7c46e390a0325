import numpy as np
import pytest

from deixis.answers.grounded import Answer, Place, Span
from deixis.errors import FrameMismatch
from deixis.evaluation.metrics.top_place import fixed_box, hits, merged, top_place
from deixis.pictures.opening import open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box
from tests.evaluation.answering import located, said

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))


def box(*edges: float) -> Box:
    return Box(*edges, frame=PICTURE.frame)


def test_the_top_place_is_the_best_of_all_spans() -> None:
    weak = Span(0, 1, "a", (Place(box(0, 0, 5, 5), 0.3),), nowhere=False, nowhere_score=0.1)
    strong = Span(2, 3, "b", (Place(box(1, 1, 9, 9), 0.8), Place(box(2, 2, 9, 9), 0.2)), False, 0.1)
    answer = Answer("a b", (weak, strong), PICTURE, system="fake", seconds=0.0)
    assert top_place(answer) == box(1, 1, 9, 9)


@pytest.mark.parametrize(
    "answer",
    [
        located(PICTURE, []),
        said(PICTURE, "it is here."),
        said(PICTURE, "", parse_failures=("cut",)),
    ],
    ids=["nowhere", "no place", "parse failure"],
)
def test_there_is_no_top_place(answer: Answer) -> None:
    assert top_place(answer) is None


def test_a_place_beside_a_parse_failure_does_not_count() -> None:
    spans = located(PICTURE, [box(0, 0, 5, 5)]).spans
    answer = Answer("it", spans, PICTURE, system="fake", seconds=0.0, parse_failures=("cut",))
    assert top_place(answer) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (box(0, 0, 10, 10), True),
        (box(0, 0, 10, 5), True),  # exactly a half
        (box(0, 0, 10, 4.99), False),
        (box(40, 10, 60, 30), True),  # the second box
        (None, False),
    ],
)
def test_hits(given: Box | None, expected: bool) -> None:
    assert hits(given, [box(0, 0, 10, 10), box(40, 10, 60, 30)]) is expected


def test_hits_needs_one_frame() -> None:
    with pytest.raises(FrameMismatch, match="convert"):
        hits(Box(0, 0, 1, 1, frame=PICTURE.frame.unit()), [box(0, 0, 1, 1)])


def test_merged_keeps_the_frame() -> None:
    whole = merged([box(3, 4, 10, 10), box(0, 6, 5, 20)])
    assert whole == box(0, 4, 10, 20)


def test_fixed_box_follows_the_picture() -> None:
    assert fixed_box(Frame.original(200, 10)).as_tuple() == pytest.approx((30, 1, 170, 10))

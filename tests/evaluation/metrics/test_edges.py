from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import UsageError
from deixis.evaluation.metrics.edges import around, found, mean_box
from deixis.evaluation.metrics.rules import Overlap, check_rules
from deixis.regions.overlap import Edges, iou
from deixis.regions.shapes import Box

number = st.integers(-50, 50).map(float)
any_edges = st.tuples(number, number, number, number)
sound = st.tuples(number, number, st.integers(1, 40), st.integers(1, 40)).map(
    lambda one: (one[0], one[1], one[0] + one[2], one[1] + one[3])
)


@given(sound, sound)
def test_iou_is_that_of_boxes(first: Edges, second: Edges) -> None:
    assert iou(first, second) == pytest.approx(Box(*first).iou(Box(*second)))
    assert iou(first, first) == 1


@given(any_edges, sound)
def test_a_box_that_is_none_never_overlaps(edges: Edges, target: Edges) -> None:
    value = iou(edges, target)
    assert 0 <= value <= 1
    if edges[0] >= edges[2] or edges[1] >= edges[3]:
        assert value == 0


@given(st.lists(sound, min_size=1, max_size=4))
def test_the_box_around_holds_all_and_the_mean_lies_in_it(boxes: list[Edges]) -> None:
    whole, middle = around(boxes), mean_box(boxes)
    for box in [*boxes, middle]:
        assert all(whole[i] <= box[i] + 1e-9 and box[i + 2] <= whole[i + 2] + 1e-9 for i in (0, 1))


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [(Overlap(), True), (Overlap(inclusive=False), False), (Overlap(0.51), False), (Overlap(0.4), True)],
)
def test_exactly_a_half(overlap: Overlap, expected: bool) -> None:
    assert found([(0, 0, 10, 5)], [(0, 0, 10, 10)], overlap=overlap) is expected


@pytest.mark.parametrize("least", [0, -1, 1.1])
def test_impossible_thresholds(least: float) -> None:
    with pytest.raises(UsageError, match="least IoU"):
        Overlap(least)


def test_unknown_rules() -> None:
    with pytest.raises(UsageError, match='"published" or "corrected"'):
        check_rules("official")

"""How two boxes lie to each other, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.synthesis.relations import relation, size
from deixis.regions.shapes import Box

OPPOSITE = {
    "to the left of": "to the right of",
    "above": "below",
    "within": "around",
    "at the same place as": "at the same place as",
}
OPPOSITE |= {second: first for first, second in OPPOSITE.items()}
SIZES = {
    "the first is larger": "the second is larger",
    "the second is larger": "the first is larger",
    "both are of one size": "both are of one size",
}
sides = st.floats(1, 100)
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), st.floats(0, 100), st.floats(0, 100), sides, sides
)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (30, 0, 40, 10), "to the left of"),
        ((30, 5, 40, 15), (0, 0, 10, 10), "to the right of"),
        ((0, 0, 10, 10), (2, 30, 12, 40), "above"),
        ((0, 30, 10, 40), (0, 0, 10, 10), "below"),
        ((10, 10, 20, 20), (0, 0, 50, 50), "within"),
        ((0, 0, 50, 50), (10, 10, 20, 20), "around"),
        ((0, 0, 10, 10), (1, 1, 11, 11), "at the same place as"),
    ],
)
def test_relations(first: tuple[int, ...], second: tuple[int, ...], expected: str) -> None:
    assert relation(Box(*first), Box(*second)) == expected


@given(first=boxes, second=boxes)
def test_the_other_way_round_it_is_the_opposite(first: Box, second: Box) -> None:
    assert relation(second, first) == OPPOSITE[relation(first, second)]
    assert size(second, first) == SIZES[size(first, second)]

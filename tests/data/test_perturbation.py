"""Perturbed regions: every kind occurs, in the box's frame, and means the box."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.perturbation import (
    ANYWHERE,
    JITTER,
    inner_point,
    inner_scribble,
    jittered,
    outline,
    perturbed_region,
)
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Outline, Point, Polygon, Scribble

FRAME = Frame.original(64, 64)
boxes = st.builds(
    lambda x, y, wide, high: Box(
        x * (64 - wide), y * (64 - high), *(x * (64 - wide) + wide, y * (64 - high) + high)
    ),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(2, 64),
    st.floats(2, 64),
).map(lambda box: box.bind(FRAME))


def test_every_kind_occurs() -> None:
    rng = np.random.default_rng(0)
    kinds = Counter(type(perturbed_region(Box(8, 8, 40, 30, frame=FRAME), rng)) for _ in range(400))
    assert set(kinds) == {Box, Point, Polygon, Scribble}
    assert kinds[Box] == max(kinds.values()) and min(kinds.values()) > 30


@given(box=boxes, seed=st.integers(0, 999))
def test_regions_stay_with_their_box(box: Box, seed: int) -> None:
    rng = np.random.default_rng(seed)
    moved = jittered(box, rng)
    assert moved.frame == box.frame
    size = np.array([box.x1 - box.x0, box.y1 - box.y0] * 2)
    assert (np.abs(np.subtract(moved.as_tuple(), box.as_tuple())) <= JITTER * size + 1e-9).all()
    assert min(moved.as_tuple()) >= 0 and max(moved.as_tuple()) <= 64
    for region in (inner_point(box, rng), inner_scribble(box, rng), outline(box, rng)):
        assert region.frame == box.frame
        points = region.points if isinstance(region, Outline) else ((region.x, region.y),)
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        assert (low >= [box.x0 - 1e-9, box.y0 - 1e-9]).all() and (
            high <= [box.x1 + 1e-9, box.y1 + 1e-9]
        ).all()


@pytest.mark.parametrize("kind", [Point, Scribble], ids=["points", "strokes"])
def test_points_and_strokes_lie_anywhere_in_the_thing(kind: type[Point] | type[Scribble]) -> None:
    rng, box = np.random.default_rng(0), Box(10, 20, 50, 40, frame=FRAME)
    drawn = [perturbed_region(box, rng) for _ in range(2500)]
    found = [region for region in drawn if isinstance(region, kind)]
    places = [point for r in found for point in (r.points if isinstance(r, Scribble) else ((r.x, r.y),))]
    shares = (np.array(places) - [10, 20]) / [40, 20]
    edge = 0.5 - ANYWHERE
    assert shares.min() >= edge - 1e-9 and shares.max() <= 1 - edge + 1e-9
    assert (shares.min(axis=0) < edge + 0.05).all() and (shares.max(axis=0) > 1 - edge - 0.05).all()


def test_an_outline_is_round_the_middle() -> None:
    box = Box(10, 10, 50, 40, frame=FRAME)
    assert outline(box, np.random.default_rng(0)).bounds().iou(box) > 0.6


def test_the_same_rng_gives_the_same_region() -> None:
    box = Box(10, 10, 50, 40, frame=FRAME)
    first, second = (perturbed_region(box, np.random.default_rng(5)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("points", [2, 12])
def test_a_scribble_has_as_many_points_as_asked(points: int) -> None:
    stroke = inner_scribble(Box(0, 0, 9, 9, frame=FRAME), np.random.default_rng(0), points=points)
    assert len(stroke.points) == points

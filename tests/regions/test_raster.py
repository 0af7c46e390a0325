"""Outlines and strokes as pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.regions.raster import fill_polygon, stroke_pixels, stroke_points
from tests.regions.naive import filled

corners = st.lists(
    st.tuples(st.floats(-5, 20, width=32), st.floats(-5, 15, width=32)), min_size=3, max_size=8
)
on_grid = st.lists(st.tuples(st.integers(-4, 36), st.integers(-4, 28)), min_size=3, max_size=8)


@settings(max_examples=120, deadline=None)
@given(corners)
def test_a_polygon_is_filled_by_the_even_odd_rule(points: list[tuple[float, float]]) -> None:
    ours, plain = fill_polygon(points, 15, 10), filled(points, 15, 10)
    # Rounding may decide differently only where an edge passes through a pixel's centre.
    for y, x in np.argwhere(ours != plain):
        near = min(
            distance(x + 0.5, y + 0.5, *pair) for pair in zip(points, points[1:] + points[:1], strict=True)
        )
        assert near < 1e-6


def distance(x: float, y: float, start: tuple[float, float], end: tuple[float, float]) -> float:
    """How far a point is from a line between two others."""
    a, b, p = np.array(start), np.array(end), np.array((x, y))
    length = ((b - a) ** 2).sum()
    along = 0.0 if length == 0 else float(np.clip(((p - a) @ (b - a)) / length, 0, 1))
    return float(np.linalg.norm(p - (a + along * (b - a))))


@settings(max_examples=80, deadline=None)
@given(on_grid)
def test_corners_on_edges_of_pixels_fill_exactly(points: list[tuple[int, int]]) -> None:
    whole = [(x // 2 * 1.0, y // 2 * 1.0) for x, y in points]
    # A tilted edge may still meet a centre, so only upright and level edges are compared.
    steps = [(x, y) for (x, _), (_, y) in zip(whole, whole[1:] + whole[:1], strict=True)]
    outline = [corner for pair in zip(whole, steps, strict=True) for corner in pair]
    assert np.array_equal(fill_polygon(outline, 15, 10), filled(outline, 15, 10))


@settings(max_examples=60, deadline=None)
@given(corners)
def test_neighbours_share_no_pixel_and_leave_none_out(points: list[tuple[float, float]]) -> None:
    """Two halves of a rectangle, cut along any line of points, are together the rectangle."""
    cut = [(min(max(x, 0.0), 15.0), min(max(y, 0.0), 10.0)) for x, y in points]
    left = fill_polygon([(0, 0), (7, 0), *cut, (7, 10), (0, 10)], 15, 10)
    right = fill_polygon([(15, 0), (7, 0), *cut, (7, 10), (15, 10)], 15, 10)
    assert (left ^ right).all()


@pytest.mark.parametrize(
    ("points", "rows"),
    [
        ([(0, 0), (3, 0), (3, 2), (0, 2)], ["111", "111"]),
        ([(0.5, 0), (2.5, 0), (2.5, 2), (0.5, 2)], ["110", "110"]),
        ([(0, 0), (0.4, 0), (0.4, 2), (0, 2)], ["000", "000"]),
        ([(-9, -9), (99, -9), (99, 99), (-9, 99)], ["111", "111"]),
        ([(5, 5), (6, 5), (6, 6)], ["000", "000"]),
        ([(0, 0), (3, 0), (3, 2), (0, 2), (0, 0), (1, 0), (1, 2), (0, 2)], ["011", "011"]),
        ([(1, 1), (1, 1), (1, 1)], ["000", "000"]),
    ],
)
def test_known_outlines(points: list[tuple[float, float]], rows: list[str]) -> None:
    assert ["".join(map(str, row)) for row in fill_polygon(points, 3, 2).astype(int)] == rows


@pytest.mark.parametrize(
    ("points", "cells"),
    [
        ([(0.5, 0.5)], {(0, 0)}),
        ([(0, 0)], {(0, 0)}),
        ([(3, 2)], {(2, 1)}),
        ([(0.5, 0.5), (2.5, 0.5)], {(0, 0), (1, 0), (2, 0)}),
        ([(0.5, -3), (0.5, 9)], {(0, 0), (0, 1)}),
        ([(-5, -5)], set()),
        ([(1.5, 1.5), (1.5, 1.5)], {(1, 1)}),
    ],
)
def test_known_strokes(points: list[tuple[float, float]], cells: set[tuple[int, int]]) -> None:
    assert {(int(x), int(y)) for y, x in np.argwhere(stroke_pixels(points, 3, 2))} == cells


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=6), st.floats(0.1, 5))
def test_points_of_a_stroke_are_close_and_hold_its_corners(
    points: list[tuple[float, float]], step: float
) -> None:
    along = stroke_points(points, step=step)
    assert np.linalg.norm(np.diff(along, axis=0), axis=1).max(initial=0) <= step * (1 + 1e-9)
    for corner in points:
        assert np.abs(along - corner).sum(axis=1).min() < 1e-9

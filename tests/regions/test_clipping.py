"""Regions cut at the picture's edges: what stays is what was there, and what fits is left alone."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.regions.clipping import clip_line, clip_outline, clip_stroke
from deixis.regions.frames import THOUSANDTHS, UNIT, Frame
from deixis.regions.shapes import Box, Point, Polygon, Scribble
from tests.regions.naive import inside

WIDTH, HEIGHT = 8.0, 6.0
corners = st.lists(
    st.tuples(st.floats(-10, 20, width=32), st.floats(-10, 18, width=32)), min_size=3, max_size=8
)


@settings(max_examples=150, deadline=None)
@given(corners, st.integers(0, 2**32 - 1))
def test_a_cut_outline_has_the_same_inside(outline: list[tuple[float, float]], seed: int) -> None:
    cut = clip_outline(outline, WIDTH, HEIGHT)
    # Drawn points are as good as never on an edge, where rounding could decide.
    for x, y in np.random.default_rng(seed).random((12, 2)) * [WIDTH, HEIGHT]:
        assert inside(x, y, outline) == (bool(cut) and inside(x, y, cut))
    assert all(0 <= x <= WIDTH and -1e-9 <= y <= HEIGHT + 1e-9 for x, y in cut)


@pytest.mark.parametrize(
    ("outline", "expected"),
    [
        ([(1, 1), (5, 1), (5, 5)], {(1, 1), (5, 1), (5, 5)}),
        ([(-4, 1), (4, 1), (4, 5), (-4, 5)], {(0, 1), (4, 1), (4, 5), (0, 5)}),
        ([(-9, -9), (99, -9), (99, 99), (-9, 99)], {(0, 0), (8, 0), (8, 6), (0, 6)}),
        ([(0, 0), (8, 0), (8, 6), (0, 6)], {(0, 0), (8, 0), (8, 6), (0, 6)}),
        ([(-4, 1), (-1, 1), (-1, 5)], set()),  # beside it
        ([(-4, 1), (0, 1), (0, 5)], set()),  # touches it
        ([(-4, 7), (4, 15), (-4, 15)], set()),  # below it
        ([(-4, 3), (-4, 14), (7, 14)], set()),  # its bounds overlap the picture, it does not
    ],
)
def test_known_outlines(outline: list[tuple[float, float]], expected: set[tuple[float, float]]) -> None:
    assert set(clip_outline(outline, WIDTH, HEIGHT)) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((1, 1), (7, 5), [(1, 1), (7, 5)]),
        ((-4, 3), (4, 3), [(0, 3), (4, 3)]),
        ((4, 3), (-4, 3), [(4, 3), (0, 3)]),
        ((-8, 3), (16, 3), [(0, 3), (8, 3)]),
        ((2, -6), (2, 12), [(2, 0), (2, 6)]),
        ((-2, 2), (2, -2), [(0, 0), (0, 0)]),  # through the corner
        ((-2, 1), (1, -2), []),
        ((9, 1), (9, 5), []),
        ((3, 3), (3, 3), [(3, 3), (3, 3)]),
        ((30, 3), (30, 3), []),
    ],
)
def test_known_lines(
    start: tuple[float, float], end: tuple[float, float], expected: list[tuple[float, float]]
) -> None:
    ours = clip_line(start, end, WIDTH, HEIGHT)
    assert np.array(ours).ravel() == pytest.approx(np.array(expected).ravel())


@pytest.mark.parametrize(
    ("stroke", "expected"),
    [
        ([(1, 1), (3, 1), (3, 4)], [(1, 1), (3, 1), (3, 4)]),
        ([(-2, 1), (2, 1), (2, 9)], [(0, 1), (2, 1), (2, 6)]),
        # It leaves to the right and comes back lower down.
        ([(6, 1), (10, 1), (10, 3), (6, 3)], [(6, 1), (8, 1), (8, 3), (6, 3)]),
        ([(4, 4)], [(4, 4)]),
        ([(40, 4)], []),
        ([(9, 0), (20, 5)], []),
    ],
)
def test_known_strokes(stroke: list[tuple[float, float]], expected: list[tuple[float, float]]) -> None:
    ours = clip_stroke(stroke, WIDTH, HEIGHT)
    assert np.array(ours).ravel() == pytest.approx(np.array(expected).ravel())


@pytest.mark.parametrize(("frame", "extent"), [(UNIT, 1.0), (THOUSANDTHS, 1000.0)])
def test_what_fills_a_picture_of_any_size_never_warns(frame: Frame, extent: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for side in range(1, 2000):
            picture = Frame.original(side, 2000 - side)
            clipped = Box(0, 0, extent, extent, frame=frame).clipped(picture)
            assert clipped.as_tuple() == pytest.approx((0, 0, side, 2000 - side))


@pytest.mark.parametrize(("frame", "extent"), [(UNIT, 1.0), (THOUSANDTHS, 1000.0)])
def test_other_regions_that_fill_a_picture_never_warn(frame: Frame, extent: float) -> None:
    around = ((0, 0), (extent, 0), (extent, extent), (0, extent))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for side in range(1, 2000, 7):
            picture = Frame.original(side, 2000 - side)
            for region in (Polygon(around, frame=frame), Scribble(around, frame=frame)):
                clipped = region.clipped(picture)
                assert (np.array(clipped.points) <= picture.size).all() and np.min(clipped.points) >= 0
            corner = Point(extent, extent, frame=frame).clipped(picture)
            assert (corner.x, corner.y) == pytest.approx(picture.size)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 1999), st.integers(1, 1999), st.integers(1, 999), st.integers(0, 400))
def test_a_whole_picture_is_whole_after_resizing_and_padding(
    width: int, height: int, side: int, margin: int
) -> None:
    picture = Frame.original(width, height)
    canvas = picture.resized(side, side).padded(side + margin, side + 2 * margin, left=margin, top=margin)
    whole = Box(0, 0, width, height, frame=picture).to(canvas)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert whole.clipped(picture).as_tuple() == pytest.approx((0, 0, width, height))

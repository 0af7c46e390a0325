"""Regions as weights on a coarse grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.regions.soft_mask import FINENESS, soft_mask
from tests.regions.naive import inside, shares

WIDTH, HEIGHT = 45, 31
FRAME = Frame.original(WIDTH, HEIGHT)
xs, ys = st.floats(0, WIDTH), st.floats(0, HEIGHT)
points = st.tuples(xs, ys)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """A box in the picture, as small as a millionth of a pixel."""
    x, y = draw(st.floats(0, WIDTH - 1e-6)), draw(st.floats(0, HEIGHT - 1e-6))
    wide, high = draw(st.floats(1e-6, WIDTH)), draw(st.floats(1e-6, HEIGHT))
    return Box(x, y, min(x + wide, WIDTH), min(y + high, HEIGHT), frame=FRAME)


regions = st.one_of(
    boxes(),
    st.builds(lambda at: Point(*at, frame=FRAME), points),
    st.lists(points, min_size=3, max_size=6).map(lambda corners: Polygon(corners, frame=FRAME)),
    st.lists(points, min_size=1, max_size=6).map(lambda corners: Scribble(corners, frame=FRAME)),
    st.integers(0, 2**32 - 1).map(
        lambda seed: Mask.from_array(
            np.random.default_rng(seed).random((HEIGHT, WIDTH)) <= (seed % 100 + 1) / 100, frame=FRAME
        )
    ),
)
grids = st.tuples(st.integers(1, 14), st.integers(1, 14))


@settings(max_examples=200, deadline=None)
@given(regions, grids)
def test_weights_of_any_region_sum_to_1(region: Region, grid: tuple[int, int]) -> None:
    weights = soft_mask(region, height=grid[0], width=grid[1])
    assert weights.shape == grid and weights.dtype == np.float32
    assert (weights >= 0).all() and np.isfinite(weights).all()
    assert weights.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)


@settings(max_examples=120, deadline=None)
@given(boxes(), grids)
def test_a_box_is_weighed_by_exact_coverage(box: Box, grid: tuple[int, int]) -> None:
    height, width = grid
    expected = shares(*box.as_tuple(), cell=(WIDTH / width, HEIGHT / height), size=grid)
    assert soft_mask(box, height=height, width=width) == pytest.approx(expected, abs=2e-6)


@settings(max_examples=40, deadline=None)
@given(boxes(), st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_a_box_is_weighed_as_by_many_samples(box: Box, grid: tuple[int, int]) -> None:
    (height, width), fine = grid, 200
    xs = np.linspace(box.x0, box.x1, fine * 2 + 1)[1::2] * width / WIDTH  # centres of strips, in cells
    ys = np.linspace(box.y0, box.y1, fine * 2 + 1)[1::2] * height / HEIGHT
    sampled = np.outer(
        np.bincount(np.minimum(ys.astype(int), height - 1), minlength=height),
        np.bincount(np.minimum(xs.astype(int), width - 1), minlength=width),
    )
    # A sample more or less a cell border: at most one of `fine` on each axis.
    assert soft_mask(box, height=height, width=width) == pytest.approx(sampled / fine**2, abs=2.5 / fine)


@pytest.mark.parametrize("seed", range(12))
def test_a_polygon_is_weighed_by_the_samples_that_it_holds(seed: int) -> None:
    height, width = 4, 6
    drawn = np.random.default_rng(seed).random((5, 2)) * [WIDTH, HEIGHT]
    outline = Polygon(tuple((float(x), float(y)) for x, y in drawn), frame=FRAME)
    held = np.zeros((height, width))
    for row, column in np.ndindex(height * FINENESS, width * FINENESS):
        x, y = (column + 0.5) / FINENESS * WIDTH / width, (row + 0.5) / FINENESS * HEIGHT / height
        held[row // FINENESS, column // FINENESS] += inside(x, y, outline.points)
    assert soft_mask(outline, height=height, width=width) == pytest.approx(held / held.sum(), abs=1e-6)


def test_a_mask_is_weighed_by_exact_coverage_too() -> None:
    box = Box(3, 4, 20, 27, frame=FRAME)
    mask = Mask.from_array(box.rasterise(), frame=FRAME)
    for height, width in ((5, 7), (31, 45), (40, 60), (1, 1)):
        both = (soft_mask(region, height=height, width=width) for region in (mask, box))
        assert next(both) == pytest.approx(next(both), abs=1e-6)


def test_a_polygon_is_near_to_its_coverage() -> None:
    box = Box(3, 4, 20, 27, frame=FRAME)
    outline = Polygon([(3, 4), (20, 4), (20, 27), (3, 27)], frame=FRAME)
    both = (soft_mask(region, height=6, width=8) for region in (outline, box))
    assert np.abs(next(both) - next(both)).max() < 0.02


def test_a_point_weighs_most_where_it_is() -> None:
    weights = soft_mask(Point(22, 3, frame=FRAME), height=7, width=9)
    assert np.unravel_index(weights.argmax(), weights.shape) == (0, 4)
    assert weights[3:].sum() < 1e-3


def test_a_scribble_weighs_along_its_stroke() -> None:
    weights = soft_mask(Scribble([(2, 15.5), (43, 15.5)], frame=FRAME), height=7, width=9)
    assert weights[3].sum() > 0.6 and weights[3].min() > 0.03


@pytest.mark.parametrize(
    ("region", "cell"),
    [
        (Polygon([(44.9, 30.9), (44.95, 30.9), (44.95, 30.95)], frame=FRAME), (3, 4)),
        (Polygon([(45, 31), (45, 31), (45, 31)], frame=FRAME), (3, 4)),
        (Polygon([(0, 0), (0, 0), (0, 0)], frame=FRAME), (0, 0)),
        (Box(44.999999, 30.999999, 45, 31, frame=FRAME), (3, 4)),
    ],
)
def test_the_smallest_region_weighs_its_cell(region: Region, cell: tuple[int, int]) -> None:
    weights = soft_mask(region, height=4, width=5)
    assert np.unravel_index(weights.argmax(), weights.shape) == cell
    assert weights.sum() == pytest.approx(1)


def test_regions_in_other_frames_weigh_the_same() -> None:
    box = Box(3, 4, 20, 27, frame=FRAME)
    for frame in (FRAME.unit(), FRAME.thousandths(), FRAME.resized(90, 62)):
        assert soft_mask(box.to(frame), height=5, width=5) == pytest.approx(
            soft_mask(box, height=5, width=5), abs=1e-6
        )

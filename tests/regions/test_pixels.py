"""Pixels of a region, against the plain list of a mask's pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deixis.errors import BadRegion
from deixis.regions.pixels import RegionPixels
from deixis.regions.rle import encode_runs

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))
edges = st.integers(-3, 12)


def listed(mask: np.ndarray) -> list[list[int]]:
    """x and y of the pixels of a mask (H, W), x first."""
    height, width = mask.shape
    return [[x, y] for x in range(width) for y in range(height) if mask[y, x]]


def same(pixels: RegionPixels, mask: np.ndarray) -> None:
    """All that a region tells agrees with its mask."""
    expected = listed(mask)
    assert (pixels.height, pixels.width) == mask.shape
    assert pixels.count == len(expected)
    assert pixels.take(range(pixels.count)).reshape(-1, 2).tolist() == expected
    assert np.array_equal(pixels.mask(), mask)


@settings(max_examples=150, deadline=None)
@given(masks)
def test_a_mask_gives_its_pixels_x_first(mask: np.ndarray) -> None:
    same(RegionPixels.from_mask(mask), mask)
    same(RegionPixels.from_mask(mask.astype(np.float32) * 0.5), mask)
    same(RegionPixels.from_mask(np.asfortranarray(mask)), mask)
    same(RegionPixels.from_runs(encode_runs(mask), width=mask.shape[1], height=mask.shape[0]), mask)


@settings(max_examples=150, deadline=None)
@given(edges, edges, edges, edges, st.integers(1, 9), st.integers(1, 9))
def test_a_rectangle_is_what_of_it_lies_in_the_picture(
    x0: int, y0: int, x1: int, y1: int, width: int, height: int
) -> None:
    ys, xs = np.mgrid[:height, :width]
    inside = (xs >= x0) & (xs < x1) & (ys >= y0) & (ys < y1)
    same(RegionPixels.rectangle(x0, y0, x1, y1, width=width, height=height), inside)


def test_pixels_can_be_taken_in_any_order_and_repeatedly() -> None:
    pixels = RegionPixels.rectangle(2, 1, 4, 3, width=5, height=4)
    assert pixels.take(np.array([3, 0, 0])).tolist() == [[3, 2], [2, 1], [2, 1]]
    assert pixels.take([]).shape == (0, 2)


@pytest.mark.parametrize("indices", [[4], [-1], [0, 10**12]])
def test_numbers_beyond_the_region_are_refused(indices: list[int]) -> None:
    pixels = RegionPixels.rectangle(2, 1, 4, 3, width=5, height=4)
    with pytest.raises(BadRegion, match="the region has 4"):
        pixels.take(indices)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RegionPixels.rectangle(0, 0, 1, 1, width=0, height=5), "0 x 5 pixels is not usable"),
        (lambda: RegionPixels.rectangle(0, 0, 1, 1, width=10**6, height=10**6), "is not usable"),
        (lambda: RegionPixels.from_mask(np.zeros((2, 2, 2))), "height x width; got shape"),
        (lambda: RegionPixels.from_mask(np.zeros((0, 4))), "height x width; got shape"),
        (lambda: RegionPixels.from_runs([3, 2], width=4, height=4), "add up to 5, expected 4 x 4 = 16"),
        (lambda: RegionPixels.from_runs([20, -4], width=4, height=4), "add up to 16"),
        (lambda: RegionPixels(np.array([0, 1]), np.array([3, 4]), 4, 4), "ordered, apart"),
        (lambda: RegionPixels(np.array([0]), np.array([17]), 4, 4), "numbers 0 to 15"),
        (lambda: RegionPixels(np.array([-1]), np.array([3]), 4, 4), "numbers 0 to 15"),
    ],
)
def test_what_is_no_region_of_a_picture_is_refused(make: object, said: str) -> None:
    with pytest.raises(BadRegion, match=said):
        make()  # type: ignore[operator]


def test_a_rectangle_needs_no_mask_of_its_picture() -> None:
    pixels = RegionPixels.rectangle(0, 0, 10**4, 10**4, width=10**4, height=10**4)
    assert pixels.count == 10**8
    assert pixels.begins.size == 10**4
    assert pixels.take([10**8 - 1]).tolist() == [[9999, 9999]]

"""Masks by their runs alone: sizes, bounds and shares, without a pixel, are those of the pixels."""

from __future__ import annotations

import time

import numpy as np
import pytest

from deixis.errors import BadRegion
from deixis.regions import rle
from deixis.regions.frames import Frame
from deixis.regions.pixels import RegionPixels
from deixis.regions.raster import fill_polygon
from deixis.regions.shapes import Box, Mask, Polygon

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (7, 5), (40, 33)])
def test_bounds_and_shares_are_those_of_the_pixels(shape: tuple[int, int], share: float) -> None:
    for _ in range(20):
        first, second = (RNG.random(shape) < share for _ in range(2))
        if not first.any() or not second.any():
            continue
        one, two = Mask.from_array(first), Mask.from_array(second)
        ys, xs = np.flatnonzero(first.any(axis=1)), np.flatnonzero(first.any(axis=0))
        assert one.bounds().as_tuple() == (xs[0], ys[0], xs[-1] + 1, ys[-1] + 1)
        assert one.iou(two) == (first & second).sum() / (first | second).sum()


def test_a_mask_of_100_million_pixels_is_checked_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def expand(*_: object, **__: object) -> None:
        raise AssertionError("expanded")

    monkeypatch.setattr(rle, "decode_runs", expand)
    mask = Mask.from_coco({"size": [10_000, 10_000], "counts": rle.compress([5, 99_999_990, 5])})
    assert mask.area == 99_999_990 and mask.bounds().as_tuple() == (0, 0, 10_000, 10_000)
    assert mask.iou(mask) == 1


@pytest.mark.parametrize(
    "encoded",
    [
        {"size": [True, True], "counts": [0, 1]},
        {"size": [1, 1], "counts": [False, True]},
        {"size": [1, 1], "counts": [0, 1.0]},
        {"size": [1, 1], "counts": [0, 10**400]},
        {"size": [10**400, 1], "counts": [0, 1]},
        {"size": [1, 2], "counts": [-1, 3]},
        {"size": [10_000_000, 10_000_000], "counts": [0, 10**14]},
        {"size": [1, 1], "counts": "\u4e00"},
        {"size": [1, 1], "counts": "o" * 9 + "1"},
    ],
)
def test_what_are_no_runs_is_refused(encoded: dict[str, object]) -> None:
    with pytest.raises(BadRegion):
        Mask.from_coco(encoded)


def test_long_compressed_masks_are_read_in_linear_time() -> None:
    runs = [int(run) for run in RNG.integers(0, 90_000, 300_000)]
    text = rle.compress(runs)
    began = time.monotonic()
    assert rle.decompress(text) == runs and time.monotonic() - began < 5


def test_a_box_has_the_pixels_of_its_outline_and_of_its_numbers() -> None:
    for _ in range(200):
        x0, y0 = RNG.uniform(-3, 18, 2)
        x1, y1 = x0 + RNG.uniform(0.1, 9), y0 + RNG.uniform(0.1, 9)
        frame = Frame.original(17, 13)
        box = Box(x0, y0, x1, y1, frame=frame)
        outline = Polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], frame=frame)
        assert np.array_equal(box.rasterise(), outline.rasterise())
        whole = [round(edge) for edge in (x0, y0, x1, y1)]
        if whole[0] < whole[2] and whole[1] < whole[3]:
            numbered = RegionPixels.rectangle(*whole, width=17, height=13).mask()
            assert np.array_equal(numbered, Box(*whole, frame=frame).rasterise())


def test_a_small_outline_in_a_large_picture_costs_little() -> None:
    began = time.monotonic()
    corners = [(9_000 + np.cos(a), 9_000 + np.sin(a)) for a in np.linspace(0, 6, 500)]
    for _ in range(5):
        fill_polygon(corners, 10_000, 10_000)
    assert time.monotonic() - began < 5

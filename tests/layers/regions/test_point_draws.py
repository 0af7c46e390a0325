"""Points drawn from regions: which pixels, how many, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from deixis.errors import BadRegion
from deixis.layers.regions.point_draws import DrawnRegions, distinct, draw_points
from deixis.regions.pixels import RegionPixels


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def box(x0: int, y0: int, x1: int, y1: int) -> RegionPixels:
    return RegionPixels.rectangle(x0, y0, x1, y1, width=40, height=30)


def numbers(points: Tensor, pixels: RegionPixels) -> list[tuple[int, int]]:
    """The pixels of drawn points; fails if one isn't exactly x / width, y / height of a pixel."""
    size = torch.tensor([pixels.width, pixels.height])
    whole = (points * size).round()
    assert torch.equal(whole / size, points)
    return [(int(x), int(y)) for x, y in whole.tolist()]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 300), st.integers(0, 5))
def test_all_pixels_are_drawn_before_one_is_drawn_twice(wide: int, high: int, count: int, seed: int) -> None:
    pixels = box(0, 0, wide, high)
    points = draw_points(pixels, count=count, generator=seeded(seed))
    assert points.shape == (count, 2)
    assert points.dtype == torch.float32
    found = numbers(points, pixels)
    every = [tuple(pair) for pair in pixels.take(range(pixels.count)).tolist()]
    assert set(found) <= set(every)
    assert len(set(found)) == min(count, len(every))
    if len(every) <= count:
        assert found[: len(every)] == every


@pytest.mark.parametrize("available", [9, 33, 1000])  # below and above the size where all are permuted
def test_every_pixel_is_as_likely(available: int) -> None:
    generator, counts = seeded(), np.zeros(available)
    rounds = 60 * available // 4
    for _ in range(rounds):
        drawn = distinct(available, count=4, generator=generator).numpy()
        assert len(set(drawn.tolist())) == 4
        counts[drawn] += 1
    expected = rounds * 4 / available
    assert abs(counts - expected).max() < 6 * expected**0.5


def test_places_in_a_draw_are_as_likely_too() -> None:
    """A stage begins at a drawn point by its place, so no place may prefer low or high numbers."""
    generator = seeded()
    drawn = torch.stack([distinct(1000, count=3, generator=generator) for _ in range(3000)]).double()
    assert (drawn.mean(dim=0) - 499.5).abs().max() < 30


def test_one_pixel_gives_the_same_point_everywhere() -> None:
    points = draw_points(box(39, 29, 40, 30))
    assert points.shape == (512, 2)
    assert torch.equal(points, torch.tensor([[39 / 40, 29 / 30]]).expand(512, 2))


def test_a_region_without_pixels_is_refused_with_a_way_out() -> None:
    with pytest.raises(BadRegion, match=r"no pixel of its picture of 40 x 30.*is its mask empty"):
        draw_points(box(7, 7, 7, 9))
    with pytest.raises(BadRegion, match="no pixel"):
        DrawnRegions.draw([[box(0, 0, 3, 3)], [box(50, 0, 60, 9)]])


def test_regions_of_a_batch_know_their_pictures() -> None:
    pictures = [[box(0, 0, 9, 9), box(3, 3, 4, 4)], [], [box(0, 0, 40, 30)]]
    drawn = DrawnRegions.draw(pictures, count=20, stages=(6, 3), generator=seeded())
    assert len(drawn) == 3
    assert drawn.points.shape == (3, 20, 2)
    assert drawn.pictures.tolist() == [0, 0, 2]
    assert drawn.starts.shape == (2, 3)
    assert drawn.starts[0].max() < 20
    assert drawn.starts[1].max() < 6
    again = DrawnRegions.draw(pictures, count=20, stages=(6, 3), generator=seeded())
    assert torch.equal(drawn.points, again.points)
    assert torch.equal(drawn.starts, again.starts)
    other = DrawnRegions.draw(pictures, count=20, stages=(6, 3), generator=seeded(1))
    assert not torch.equal(drawn.points, other.points)


@pytest.mark.parametrize("pictures", [[], [[]], [[], []]])
def test_no_regions_are_drawn_as_none(pictures: list[list[RegionPixels]]) -> None:
    drawn = DrawnRegions.draw(pictures, count=20, stages=(6, 3))
    assert len(drawn) == 0
    assert drawn.points.shape == (0, 20, 2)
    assert drawn.starts.shape == (2, 0)


def test_parts_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(BadRegion, match="same number of regions"):
        DrawnRegions(torch.zeros(3, 20, 2), torch.zeros(2, dtype=torch.int64), torch.zeros(2, 3))
    with pytest.raises(BadRegion, match="same number of regions"):
        DrawnRegions(torch.zeros(3, 20, 2), torch.zeros(3, dtype=torch.int64), torch.zeros(2, 4))

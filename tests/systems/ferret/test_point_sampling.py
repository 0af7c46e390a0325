"""The points of a region: the same for the same pixels, whatever stands beside them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deixis.errors import BadRegion
from deixis.layers.regions.sampler_size import SamplerSize
from deixis.regions.pixels import RegionPixels
from deixis.systems.ferret.point_sampling import PointSampling, seed_of

DRAWING = PointSampling(points=16, anchors=(8, 4))
CUP = RegionPixels.rectangle(2, 3, 30, 20, width=50, height=60)
DOG = RegionPixels.rectangle(10, 30, 20, 59, width=50, height=60)
DOT = RegionPixels.rectangle(5, 5, 6, 6, width=50, height=60)


def test_a_region_is_drawn_the_same_whatever_stands_beside_it() -> None:
    alone = DRAWING.draw([CUP], [0])
    among = DRAWING.draw([DOG, DOT, CUP, CUP], [0, 2, 2, 3])
    assert among.pictures.tolist() == [0, 2, 2, 3]
    for place in (2, 3):
        assert torch.equal(among.points[place], alone.points[0])
        assert torch.equal(among.starts[:, place], alone.starts[:, 0])
    assert not torch.equal(among.points[0], alone.points[0])


def test_drawing_leaves_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    DRAWING.draw([CUP, DOG], [0, 0])
    assert torch.equal(torch.get_rng_state(), before)


def test_points_lie_in_their_region() -> None:
    drawn = DRAWING.draw([CUP, DOT], [0, 0])
    places = drawn.points[0] * torch.tensor([50, 60])
    assert (places >= torch.tensor([2, 3])).all() and (places < torch.tensor([30, 20])).all()
    assert torch.allclose(drawn.points[1], torch.tensor([5 / 50, 5 / 60]).expand(16, 2))


def test_no_regions_have_the_shapes_of_regions() -> None:
    drawn = DRAWING.draw([], [])
    assert drawn.points.shape == (0, 16, 2) and drawn.starts.shape == (2, 0) and len(drawn) == 0
    assert drawn.pictures.shape == (0,) and drawn.pictures.dtype == torch.long


def test_regions_keep_their_pictures_in_any_order() -> None:
    drawn = DRAWING.draw([CUP, DOG, DOT], [1, 0, 1])
    assert drawn.pictures.tolist() == [1, 0, 1]
    for place, pixels in enumerate((CUP, DOG, DOT)):
        assert torch.equal(drawn.points[place], DRAWING.draw([pixels], [0]).points[0])


def test_a_region_without_pixels_is_refused() -> None:
    empty = RegionPixels.from_mask(np.zeros((60, 50), dtype=bool))
    with pytest.raises(BadRegion, match="covers no pixel"):
        DRAWING.draw([CUP, empty], [0, 0])


def test_other_pixels_have_another_seed() -> None:
    same = RegionPixels.rectangle(2, 3, 30, 20, width=50, height=60)
    turned = RegionPixels.rectangle(2, 3, 30, 20, width=60, height=50)
    assert seed_of(CUP) == seed_of(same)
    assert len({seed_of(pixels) for pixels in (CUP, DOG, DOT, turned)}) == 4


def test_counts_come_from_the_configuration() -> None:
    assert PointSampling.of({"points": 24, "anchors": [8, 4], "neighbours": [4, 3]}) == PointSampling(
        24, (8, 4)
    )
    assert PointSampling.of(None) == PointSampling(SamplerSize().points, ())

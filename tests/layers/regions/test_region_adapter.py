"""Regions without geometry: the mean over distinct points of a projected map."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.region_adapter import RegionAdapter
from deixis.layers.regions.sampler_building import build_adapter, build_sampler
from deixis.regions.pixels import RegionPixels


def drawn(*, count: int = 8) -> DrawnRegions:
    """One region of few pixels and one of many in the first picture, one in the third."""
    few = RegionPixels.rectangle(3, 1, 5, 2, width=10, height=7)
    many = RegionPixels.rectangle(0, 0, 10, 7, width=10, height=7)
    generator = torch.Generator().manual_seed(0)
    return DrawnRegions.draw([[few, many], [], [few]], count=count, stages=(2,), generator=generator)


@pytest.mark.parametrize("order", ["xy", "transposed"])
def test_the_mean_of_what_grid_sample_reads(order: str) -> None:
    maps = [torch.randn(4, 3, 5), torch.randn(4, 3, 3), torch.randn(4, 6, 2)]
    adapter = build_adapter(True, width=4, out_width=6, point_order=order)
    assert adapter is not None
    regions = drawn()
    ours = adapter(maps, regions)
    for vector, points, picture in zip(ours, regions.points, regions.pictures, strict=True):
        grid = torch.unique(points, dim=0) * 2 - 1
        grid = grid.flip(-1) if order == "transposed" else grid
        projected = functional.conv2d(maps[picture][None], adapter.weight[..., None, None], adapter.bias)
        read = functional.grid_sample(projected, grid[None, None], align_corners=True)[0, :, 0]  # (D, P)
        torch.testing.assert_close(vector, read.mean(dim=1), atol=1e-5, rtol=1e-5)


def test_repeated_points_count_once() -> None:
    maps, adapter = [torch.randn(4, 3, 5)] * 3, RegionAdapter(width=4, out_width=6)
    torch.testing.assert_close(adapter(maps, drawn(count=8))[0], adapter(maps, drawn(count=80))[0])


def test_no_regions_give_no_rows_and_gradients_of_zero() -> None:
    nothing = DrawnRegions.draw([[], []], count=8, stages=(2,))
    adapter = RegionAdapter(width=4, out_width=6)
    found = adapter([torch.randn(4, 3, 5)] * 2, nothing)
    assert found.shape == (0, 6)
    found.sum().backward()
    assert adapter.weight.grad is not None and not adapter.weight.grad.any()


def test_weights_have_the_published_names() -> None:
    assert list(RegionAdapter(width=4, out_width=6).state_dict()) == ["weight", "bias"]


def test_encoders_that_are_not_wanted_are_not_there() -> None:
    assert build_adapter(False, width=4, out_width=6, point_order="xy") is None
    assert build_sampler(None, width=4, out_width=6, point_order="xy") is None


def test_settings_of_a_sampler() -> None:
    settings = {"points": 9, "anchors": [4], "neighbours": [3], "pooling": "mean"}
    sampler = build_sampler(settings, width=4, out_width=6, point_order="transposed")
    assert sampler is not None
    assert sampler.size.anchors == (4,) and sampler.size.pooling == "mean"
    assert sampler.point_order == "transposed"
    with pytest.raises(UsageError, match="known: points"):
        build_sampler({"anchor": 3}, width=4, out_width=6, point_order="xy")
    with pytest.raises(UsageError, match="point_order"):
        build_sampler(settings, width=4, out_width=6, point_order="yx")

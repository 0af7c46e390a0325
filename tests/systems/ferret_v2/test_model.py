"""What a Ferret-v2 network makes of whole pictures and tiles, in all its variants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from deixis.errors import UsageError
from deixis.pictures import open_picture
from deixis.systems.ferret_v2.grids import merge_tiles
from deixis.systems.ferret_v2.tiles import TiledPixels
from tests.systems.ferret.networks import (
    CLIP_TOWER,
    DINOV2_TOWER,
    GRID_TOWER,
    SIDE,
    batch,
    ferret_v2,
    no_tiles,
    tiled_pixels,
)

CELLS = SIDE // 16
SHARED: dict[str, Any] = {"local_tower": None, "separate_projectors": False}
TOWERS = {"transformers": (CLIP_TOWER, DINOV2_TOWER), "grids": (GRID_TOWER, GRID_TOWER)}


@pytest.mark.parametrize("towers", TOWERS)
@pytest.mark.parametrize("resolution", ["any_res", "fixed", "direct_upsample"])
def test_resolutions(towers: str, resolution: str) -> None:
    whole, local = TOWERS[towers]
    side = 2 * SIDE if resolution == "direct_upsample" else SIDE
    network = ferret_v2(
        tower=whole, local_tower=local, resolution=resolution, global_side=side, grids=[[2, 1]]
    )
    picture = open_picture(np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8))
    pixels = TiledPixels.stack([network.tiling.prepare(picture)] * 2)
    cells = side // 16
    tiles = 2 * CELLS**2 if resolution == "any_res" else 0
    features = network.encode_pictures(pixels)
    assert [len(own) for own in features.tokens] == [cells**2 + tiles] * 2
    size = (CELLS, 2 * CELLS) if resolution == "any_res" else (cells, cells)
    assert features.maps[0].shape == (network.config.hidden_size, *size)
    given = batch(pixels)
    network.train()
    network(**given.inputs(), labels=given.labels).loss.backward()
    assert network.generate(**{**given.inputs(), "max_new_tokens": 2}).shape[0] == 2


def test_tokens_are_the_whole_and_then_the_merged_tiles() -> None:
    network, pixels = ferret_v2(), tiled_pixels(grids=((2, 1), (1, 2)))
    features = network.encode_pictures(pixels)
    whole = network.projector(network.tower(pixels.whole))
    assert network.local_tower is not None and network.local_projector is not None
    tiles = network.local_projector(network.local_tower(pixels.tiles))
    for index, grid in enumerate(pixels.grids):
        merged = merge_tiles(tiles[2 * index : 2 * index + 2], grid)
        expected = torch.cat([whole[index], merged.flatten(0, 1)])
        torch.testing.assert_close(features.tokens[index], expected)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("source", ["projected", "encoder"])
def test_the_region_map_is_the_sum_of_both(mode: str, source: str) -> None:
    network = ferret_v2(global_upsample=mode, region_feature_source=source, global_side=32)
    pixels = tiled_pixels(grids=((2, 1),), side=32)
    whole, tiles = network.features(pixels)
    if source == "projected":
        assert network.local_projector is not None
        whole, tiles = network.projector(whole), network.local_projector(tiles)
    merged = merge_tiles(tiles, (2, 1)).permute(2, 0, 1)
    own = whole[0].T.reshape(1, -1, 2, 2)
    align = None if mode == "nearest" else False
    enlarged = functional.interpolate(own, merged.shape[1:], mode=mode, align_corners=align)[0]
    torch.testing.assert_close(network.encode_pictures(pixels).maps[0], enlarged + merged)


def test_the_region_map_may_be_the_wholes_alone() -> None:
    network, pixels = ferret_v2(region_map="global"), tiled_pixels()
    features = network.encode_pictures(pixels)
    whole = network.projector(network.tower(pixels.whole))
    torch.testing.assert_close(features.maps[1].flatten(1).T, whole[1])
    assert len(features.tokens[0]) == 3 * CELLS**2


def test_one_tower_for_both_runs_once_where_sides_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    for side, calls in ((SIDE, [5]), (32, [2, 3])):
        network, seen = ferret_v2(**SHARED, global_side=side), []
        network.tower.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(len(given[0])))
        features = network.encode_pictures(tiled_pixels(side=side))
        assert seen == calls
        assert len(features.tokens[0]) == (side // 16) ** 2 + 2 * CELLS**2
    assert network.local_tower is None and network.local_projector is None


def test_one_tower_and_two_projectors() -> None:
    network, pixels = ferret_v2(local_tower=None), tiled_pixels(grids=((1, 1),))
    assert network.local_projector is not None
    tokens = network.encode_pictures(pixels).tokens[0]
    expected = network.local_projector(network.tower(pixels.tiles))[0]
    torch.testing.assert_close(tokens[CELLS**2 :], expected)


def test_flat_tokens_are_tile_by_tile() -> None:
    pixels = tiled_pixels(grids=((2, 2),))
    flat = ferret_v2(merge="flat").encode_pictures(pixels).tokens[0]
    spatial = ferret_v2().encode_pictures(pixels).tokens[0]
    assert not torch.allclose(flat, spatial)
    n = CELLS**2
    merged = merge_tiles(flat[n:].unflatten(0, (4, n)), (2, 2)).flatten(0, 1)
    torch.testing.assert_close(torch.cat([flat[:n], merged]), spatial)


def test_lines_end_with_the_newline() -> None:
    network = ferret_v2(merge="spatial_unpad")
    pixels = tiled_pixels(grids=((2, 2), (0, 0)))  # the first is 100 x 120: a column at each edge goes
    first, second = network.encode_pictures(pixels).tokens
    n, height, width = CELLS**2, 2 * CELLS, 2 * CELLS - 2
    assert network.newline is not None
    assert len(first) == n + height * (width + 1)
    lines = first[n:].unflatten(0, (height, width + 1))
    assert (lines[:, -1] == network.newline).all()
    spatial = ferret_v2()
    spatial.load_state_dict({k: v for k, v in network.state_dict().items() if k != "newline"})
    whole = spatial.encode_pictures(pixels).tokens[0][n:].unflatten(0, (height, height))
    torch.testing.assert_close(lines[:, :-1], whole[:, 1:-1])
    assert len(second) == n + 1 and torch.equal(second[-1], network.newline)


def test_the_newline_learns_too() -> None:
    network = ferret_v2(merge="spatial_unpad").train()
    given = batch(tiled_pixels())
    network(**given.inputs(), labels=given.labels).loss.backward()
    assert network.newline is not None
    assert network.newline.grad is not None and network.newline.grad.any()
    network.zero_grad()
    ids = torch.tensor([[1, 5, 6], [1, 7, 8]])
    network(ids, pixel_values=given.pixel_values, labels=ids).loss.backward()
    assert network.newline.grad is not None and not network.newline.grad.any()


def test_a_batch_without_tiles_gives_their_parts_gradients_of_zero() -> None:
    network, given = ferret_v2().train(), batch(no_tiles())
    network(**given.inputs(), labels=given.labels).loss.backward()
    for name, weight in network.named_parameters():
        if name.startswith(("local_tower.", "local_projector.")):
            assert weight.grad is not None and not weight.grad.any(), name
        elif name.startswith("sampler."):
            assert weight.grad is not None, name


def test_sequences_are_cut_after_pictures_have_grown() -> None:
    given = batch(tiled_pixels())
    full = ferret_v2(max_tokens=None).read(**given.inputs(), labels=given.labels)
    cut = ferret_v2(max_tokens=52).read(**given.inputs(), labels=given.labels)
    assert full.embeds.shape[1] > 52 == cut.embeds.shape[1]
    torch.testing.assert_close(cut.embeds, full.embeds[:, :52])
    assert full.labels is not None and cut.labels is not None
    assert torch.equal(cut.labels, full.labels[:, :52])


def test_the_tiling_knows_towers_and_limit() -> None:
    network = ferret_v2(max_image_tokens=5 * CELLS**2)
    tiling = network.tiling
    assert max(columns * rows for columns, rows in tiling.grids) == 4
    assert tiling.whole.mean != tiling.tile.mean
    assert (tiling.side, tiling.crop) == (SIDE, SIDE)
    assert ferret_v2(resolution="fixed").tiling.grids == ()
    with pytest.raises(UsageError, match="max_image_tokens"):
        _ = ferret_v2(max_image_tokens=CELLS**2).tiling


@pytest.mark.parametrize(
    "changes",
    [{"separate_projectors": False}, {"region_feature_source": "encoder"}],
)
def test_towers_of_different_widths_share_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="wide"):
        ferret_v2(local_tower=GRID_TOWER, **changes)
    assert ferret_v2(local_tower=GRID_TOWER).local_projector is not None

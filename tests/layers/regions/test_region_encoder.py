"""One token a region: the maps under its mask, and where it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from deixis.layers.places.place_map import PlaceMap
from deixis.layers.regions.region_encoder import GEOMETRY, RegionEncoder, mean_under

WIDTH, ROWS, COLUMNS = 6, 8, 12


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def place_map(batch: int = 2) -> PlaceMap:
    """Maps of random features."""
    return PlaceMap(
        fine=torch.randn(batch, WIDTH, ROWS, COLUMNS),
        middle=torch.randn(batch, WIDTH, ROWS // 2, COLUMNS // 2),
        coarse=torch.randn(batch, WIDTH, ROWS // 4, COLUMNS // 4),
        keys=torch.randn(batch, WIDTH, ROWS * COLUMNS),
        boxes=torch.rand(batch, ROWS * COLUMNS, 4),
    )


def one_cell(row: int, column: int) -> torch.Tensor:
    """The mask of a single cell."""
    mask = torch.zeros(ROWS, COLUMNS)
    mask[row, column] = 1
    return mask


def test_the_mean_under_one_cell_is_that_cell() -> None:
    features = torch.randn(2, WIDTH, ROWS, COLUMNS)
    cells = [(0, 0), (3, 7), (ROWS - 1, COLUMNS - 1)]
    masks = torch.stack([one_cell(*cell) for cell in cells]).expand(2, -1, -1, -1)
    means = mean_under(features, masks)
    assert means.shape == (2, 3, WIDTH)
    for number, (row, column) in enumerate(cells):
        assert torch.equal(means[:, number], features[:, :, row, column])


def test_the_mean_under_weights_is_the_weighted_mean() -> None:
    features = torch.randn(2, WIDTH, ROWS, COLUMNS, dtype=torch.float64)
    masks = torch.rand(2, 5, ROWS, COLUMNS, dtype=torch.float64)
    masks = masks / masks.sum(dim=(-2, -1), keepdim=True)
    expected = torch.stack(
        [torch.stack([(features[b] * masks[b, r]).sum(dim=(-2, -1)) for r in range(5)]) for b in range(2)]
    )
    torch.testing.assert_close(mean_under(features, masks), expected)


def test_the_mean_under_a_finer_mask_weighs_cells_by_what_they_hold_of_it() -> None:
    features = torch.randn(2, WIDTH, ROWS // 4, COLUMNS // 2, dtype=torch.float64)
    masks = torch.rand(2, 3, ROWS, COLUMNS, dtype=torch.float64)
    masks = masks / masks.sum(dim=(-2, -1), keepdim=True)
    expected = torch.zeros(2, 3, WIDTH, dtype=torch.float64)
    for row in range(ROWS):
        for column in range(COLUMNS):
            cell = features[:, None, :, row // 4, column // 2]
            expected += masks[:, :, row, column, None] * cell
    torch.testing.assert_close(mean_under(features, masks), expected)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 5), (7, 11)])
def test_a_region_of_one_cell_is_that_cell_at_every_depth(row: int, column: int) -> None:
    encoder, places = RegionEncoder(map_width=WIDTH, out_width=10), place_map()
    geometry = torch.rand(2, 1, GEOMETRY)
    tokens = encoder(places, one_cell(row, column).expand(2, 1, -1, -1), geometry)
    depths = (places.fine, places.middle, places.coarse)
    cells = [depth[:, :, row // step, column // step] for depth, step in zip(depths, (1, 2, 4), strict=True)]
    assert tokens.shape == (2, 1, 10)
    expected = encoder.content(torch.cat(cells, dim=-1)) + encoder.geometry(geometry[:, 0])
    torch.testing.assert_close(tokens[:, 0], expected)


def test_a_mask_counts_by_its_shape_not_by_its_sum_at_the_coarser_depths() -> None:
    """Pooling averages four or sixteen cells; the shares of the coarser cells must still sum to 1."""
    encoder, places = RegionEncoder(map_width=WIDTH, out_width=10), place_map(1)
    even = torch.full((1, 1, ROWS, COLUMNS), 1 / (ROWS * COLUMNS))
    depths = (places.fine, places.middle, places.coarse)
    means = torch.cat([depth.mean(dim=(-2, -1)) for depth in depths], dim=-1)
    token = encoder(places, even, torch.zeros(1, 1, GEOMETRY))
    torch.testing.assert_close(token[:, 0], encoder.content(means) + encoder.geometry.bias)


def test_rows_that_only_pad_are_finite_and_leave_others_alone() -> None:
    encoder, places = RegionEncoder(map_width=WIDTH, out_width=10), place_map()
    masks = torch.stack([one_cell(1, 1), torch.zeros(ROWS, COLUMNS)]).expand(2, -1, -1, -1)
    tokens = encoder(places, masks, torch.zeros(2, 2, GEOMETRY))
    assert tokens.isfinite().all()
    alone = encoder(places, masks[:, :1], torch.zeros(2, 1, GEOMETRY))
    torch.testing.assert_close(tokens[:, :1], alone)


def test_no_regions_give_no_tokens() -> None:
    encoder = RegionEncoder(map_width=WIDTH, out_width=10)
    tokens = encoder(place_map(), torch.zeros(2, 0, ROWS, COLUMNS), torch.zeros(2, 0, GEOMETRY))
    assert tokens.shape == (2, 0, 10)


def test_gradients_reach_the_maps_and_all_parameters() -> None:
    encoder, places = RegionEncoder(map_width=WIDTH, out_width=10), place_map()
    for depth in (places.fine, places.middle, places.coarse):
        depth.requires_grad_()
    tokens = encoder(places, one_cell(3, 4).expand(2, 1, -1, -1), torch.rand(2, 1, GEOMETRY))
    tokens.square().sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())
    for depth, row, column in ((places.fine, 3, 4), (places.middle, 1, 2), (places.coarse, 0, 1)):
        assert depth.grad is not None
        touched = depth.grad.abs().sum(dim=(0, 1))
        assert touched[row, column] > 0 and touched.sum() == touched[row, column]

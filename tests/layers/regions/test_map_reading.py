"""Maps read at points, against torch's own bilinear sampling."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from deixis.layers.regions.map_reading import cells_of, read_points

SIZES = [(5, 7), (1, 1), (3, 2)]
WIDTH = 6


def made(*, beyond: float = 0.0) -> tuple[list[Tensor], Tensor, Tensor]:
    """Maps, points (some up to ``beyond`` outside, corners included) and the picture of each region."""
    chance = torch.Generator().manual_seed(0)
    maps = [torch.randn(WIDTH, *size, generator=chance) for size in SIZES]
    points = torch.rand(4, 9, 2, generator=chance) * (1 + 2 * beyond) - beyond
    points[0, :3] = torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    return maps, points, torch.tensor([0, 2, 1, 0])


@pytest.mark.parametrize("beyond", [0.0, 0.6])
def test_points_are_read_as_by_grid_sample(beyond: float) -> None:
    maps, points, pictures = made(beyond=beyond)
    values = read_points(points, pictures, sizes=SIZES).of(cells_of(maps))
    for region, picture in enumerate(pictures):
        grid = (points[region] * 2 - 1)[None, None]
        expected = functional.grid_sample(maps[picture][None], grid, align_corners=True)[0, :, 0].t()
        torch.testing.assert_close(values[region], expected, rtol=1e-5, atol=2e-6)


def test_only_cells_that_count_are_kept() -> None:
    maps, points, pictures = made()
    points = points * 0.3  # near the first corner
    reading = read_points(points, pictures, sizes=SIZES)
    used, narrow = reading.narrowed()
    table = cells_of(maps)
    assert len(used) < len(table)
    assert used.tolist() == sorted(set(reading.rows.flatten().tolist()))
    torch.testing.assert_close(narrow.of(table[used]), reading.of(table))


def test_coordinates_count_as_rows_of_the_table() -> None:
    maps, points, pictures = made()
    reading, table = read_points(points, pictures, sizes=SIZES), cells_of(maps)
    weight = torch.randn(2, WIDTH, generator=torch.Generator().manual_seed(1))
    both = reading.with_coordinates(points, rows=len(table)).of(torch.cat([table, weight]))
    torch.testing.assert_close(both, reading.of(table) + points @ weight)


def test_gradients_go_to_the_cells_read() -> None:
    maps, points, pictures = made()
    maps = [one.requires_grad_() for one in maps]
    read_points(points[:1], pictures[:1], sizes=SIZES).of(cells_of(maps)).sum().backward()
    assert maps[0].grad is not None
    torch.testing.assert_close(maps[0].grad.sum(), torch.tensor(9.0 * WIDTH))
    assert maps[1].grad is not None and not maps[1].grad.any()

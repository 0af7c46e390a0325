"""Feature maps of several sizes read at points: bilinear, corners aligned, 0 outside of the map.

The same numbers as torch's ``grid_sample`` in float32. A reading is kept as cells and shares, so that a
linear layer can be applied to the cells of a map once instead of to every point read from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class MapReading:
    """Points as weighted sums of rows of a table.

    rows: int64 (R, P, 4), the four cells around each point. shares: float32 (R, P, 4), how much each counts.
    """

    rows: Tensor
    shares: Tensor

    def of_regions(self, some: Tensor) -> MapReading:
        """Return the reading of some regions: int64 (R,)."""
        return MapReading(self.rows[some], self.shares[some])

    def at(self, chosen: Tensor) -> MapReading:
        """Return the reading of some points of each region: int64 (R, A)."""
        wanted = chosen[..., None].expand(-1, -1, self.rows.shape[-1])
        return MapReading(self.rows.gather(1, wanted), self.shares.gather(1, wanted))

    def of(self, table: Tensor) -> Tensor:
        """Return (R, P, D): the weighted sums of the table's rows (rows, D), in the table's precision."""
        if not self.rows.numel():
            # Still a function of the table, so that a batch without regions gives gradients of 0, not none.
            return table.new_zeros(*self.rows.shape[:2], table.shape[1]) + 0 * table[:1]
        summed = functional.embedding_bag(
            self.rows.flatten(0, 1),
            table,
            mode="sum",
            per_sample_weights=self.shares.flatten(0, 1).to(table.dtype),
        )
        return summed.unflatten(0, self.rows.shape[:2])

    def with_coordinates(self, points: Tensor, *, rows: int) -> MapReading:
        """Return the reading of a table whose last two rows, after ``rows`` cells, count x and y times.

        points: (R, P, 2) as they count.
        """
        last = torch.tensor([rows, rows + 1], device=self.rows.device).expand(*self.rows.shape[:2], 2)
        return MapReading(
            torch.cat([self.rows, last], dim=-1), torch.cat([self.shares, points.to(self.shares)], dim=-1)
        )

    def narrowed(self) -> tuple[Tensor, MapReading]:
        """Return the rows that count at all, int64 in order, and the reading of a table of only those."""
        used = torch.zeros(int(self.rows.max()) + 1 if self.rows.numel() else 1, dtype=torch.bool)
        used[self.rows.flatten()] = True
        used[0] |= not self.rows.numel()
        place = used.cumsum(0) - 1
        return used.nonzero().flatten(), MapReading(place[self.rows], self.shares)

    def to(self, device: torch.device) -> MapReading:
        """Return the reading on another device."""
        return MapReading(self.rows.to(device), self.shares.to(device))


def cells_of(maps: Sequence[Tensor]) -> Tensor:
    """Return (all cells, D): the cells of all maps (D, H, W), row by row, one map after the other."""
    return torch.cat([one.flatten(1).transpose(0, 1) for one in maps])


def read_points(points: Tensor, pictures: Tensor, *, sizes: Sequence[tuple[int, int]]) -> MapReading:
    """Return where to read the cells (``cells_of``) of maps with these sizes (H, W).

    points: float32 (R, P, 2), x and y; 0 is the centre of the first cell, 1 that of the last one.
    pictures: int64 (R,), which map each region's points lie in.
    """
    table = torch.tensor(sizes, dtype=torch.int64).reshape(-1, 2)
    firsts = table.prod(dim=1).cumsum(0) - table.prod(dim=1)
    high, wide = table[pictures, 0, None], table[pictures, 1, None]  # (R, 1)
    # From -1..1 and back, as grid_sample does: published weights were trained with its rounding.
    grid = points * 2 - 1
    x = (grid[..., 0] + 1) * ((wide - 1) / 2)  # (R, P)
    y = (grid[..., 1] + 1) * ((high - 1) / 2)
    left, top = x.floor(), y.floor()
    rows, shares = [], []
    for down in (0, 1):
        for across in (0, 1):
            column, row = left.long() + across, top.long() + down
            share = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (column < wide) & (row >= 0) & (row < high)
            cell = row.clamp(min=0).minimum(high - 1) * wide + column.clamp(min=0).minimum(wide - 1)
            rows.append(cell + firsts[pictures, None])
            shares.append(share * inside)
    return MapReading(torch.stack(rows, dim=-1), torch.stack(shares, dim=-1))  # (R, P, 4)

"""Regions without geometry: the mean of a projected map under the drawn points (Ferret's simpler variant)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from deixis.layers.regions.map_reading import cells_of, read_points
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.sampler_size import PointOrder


class RegionAdapter(nn.Linear):
    """A linear map on every cell, and then the mean over the points of a region, each distinct one once.

    point_order: "transposed" reads a point at column y and row x, as the published code does.
    """

    def __init__(self, *, width: int, out_width: int, point_order: PointOrder = "xy") -> None:
        super().__init__(width, out_width)
        self.point_order = point_order

    def forward(self, maps: Sequence[Tensor], drawn: DrawnRegions) -> Tensor:  # type: ignore[override]
        """Return vectors (R, out_width) of regions in pictures with maps (C, H, W)."""
        cells = super().forward(cells_of(maps).to(self.weight.dtype))  # (cells, D)
        points = drawn.points.cpu().float()
        placed = points.flip(-1) if self.point_order == "transposed" else points
        sizes = [(one.shape[1], one.shape[2]) for one in maps]
        reading = read_points(placed, drawn.pictures.cpu(), sizes=sizes).to(cells.device)
        with torch.autocast(cells.device.type, enabled=False):
            shares = shares_of_distinct(points).to(cells.device)  # (R, P)
            means = (reading.of(cells.float()) * shares[..., None]).sum(dim=1)  # (R, D)
        return means.to(cells.dtype)


def shares_of_distinct(points: Tensor) -> Tensor:
    """Return weights (R, P) under which each distinct point of points (R, P, 2) counts the same.

    A small region's points were repeated until there were enough of them.

    >>> shares_of_distinct(torch.tensor([[[0.0, 0.5], [0.5, 0.0], [0.5, 0.0]]])).tolist()
    [[0.5, 0.25, 0.25]]
    """
    shares = []
    for some in points:
        distinct, places, counts = torch.unique(some, dim=0, return_inverse=True, return_counts=True)
        shares.append(1 / (counts[places] * len(distinct)))
    return torch.stack(shares) if shares else points.new_zeros(points.shape[:2])

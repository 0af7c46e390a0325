"""What is inside a region's box, in detail, and inside the box that the map proposes where one points.

The mean under a soft mask says little about the parts of a thing, and nothing of how far a thing reaches that
only a point was given for. So two boxes are read: the region's own bounds, and the box that the map predicts
at the locations under the mask (propose, then encode: Groma's way, for a place that a user chose).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.precision import read_by
from deixis.layers.regions.box_sampling import (
    GEOMETRY,
    SAMPLES,
    box_geometry,
    mean_inside,
    samples_inside,
)

LEAST = 2 * STRIDE  # pixels of a side that is looked at, however small the region


class RegionDetail(nn.Module):
    """Turn regions into further vectors of the language model's width, zero to begin with."""

    def __init__(self, *, map_width: int, head_width: int, out_width: int) -> None:
        super().__init__()
        inputs = (SAMPLES * SAMPLES + 2) * map_width + head_width + GEOMETRY
        self.read = nn.Sequential(nn.Linear(inputs, 2 * out_width), nn.GELU())
        self.own = nn.Linear(2 * out_width, out_width)
        self.proposed = nn.Linear(2 * out_width, out_width)
        for last in (self.own, self.proposed):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, places: PlaceMap, masks: Tensor, geometry: Tensor) -> Tensor:
        """Encode regions; arguments as for RegionEncoder, returns (B, R, out_width)."""
        side = STRIDE * places.fine.shape[-1]
        proposed = torch.bmm(masks.flatten(2), places.boxes.detach().to(masks.dtype))  # (B, R, 4)
        own = self.read(self.inside(places, widened(geometry[..., :4], LEAST / side)))
        other = self.read(self.inside(places, widened(proposed / side, LEAST / side)))
        return self.own(own) + self.proposed(other)

    def inside(self, places: PlaceMap, units: Tensor) -> Tensor:
        """Return everything that the maps hold inside boxes (B, R, 4)."""
        assert places.head is not None, "a network with region_detail maps the tower's head, too"
        parts = [
            samples_inside(places.fine, units),
            mean_inside(places.middle, units),
            mean_inside(places.coarse, units),
            mean_inside(places.head, units),
            box_geometry(units),
        ]
        return read_by(self.read, torch.cat([part.float() for part in parts], dim=-1))


def widened(units: Tensor, least: float) -> Tensor:
    """Return boxes (B, R, 4) inside the picture, no side below ``least``; all are fractions of the side.

    >>> widened(torch.tensor([[[0.5, 0.5, 0.5, 0.5]]]), 0.25).tolist()
    [[[0.375, 0.375, 0.625, 0.625]]]
    """
    units = units.float().clamp(0, 1)
    middle, half = (units[..., :2] + units[..., 2:]) / 2, (units[..., 2:] - units[..., :2]) / 2
    half = half.clamp(min=least / 2)
    middle = torch.minimum(torch.maximum(middle, half), 1 - half)
    return torch.cat([middle - half, middle + half], dim=-1)

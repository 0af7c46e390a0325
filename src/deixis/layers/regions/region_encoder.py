"""One region token for anything a user points at: the maps averaged under a soft mask, plus coarse geometry.

The idea of Ferret's hybrid region representation (any shape, one code) at the cost of one matrix product:
a region is a distribution over the locations of the place map (``regions.soft_mask``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.places.place_map import PlaceMap
from deixis.layers.precision import read_by
from deixis.layers.regions.box_sampling import GEOMETRY


class RegionEncoder(nn.Module):
    """Turn soft masks over the place map into vectors of the language model's width."""

    def __init__(self, *, map_width: int, out_width: int) -> None:
        super().__init__()
        self.content = nn.Sequential(
            nn.Linear(3 * map_width, 2 * out_width), nn.GELU(), nn.Linear(2 * out_width, out_width)
        )
        self.geometry = nn.Linear(GEOMETRY, out_width)

    def forward(self, places: PlaceMap, masks: Tensor, geometry: Tensor) -> Tensor:
        """Encode regions.

        masks (B, R, H, W): non-negative, each sums to 1 (all zero for padding rows).
        geometry (B, R, GEOMETRY). Returns (B, R, out_width).
        """
        depths = [mean_under(depth, masks) for depth in (places.fine, places.middle, places.coarse)]
        return self.content(torch.cat(depths, dim=-1)) + self.geometry(read_by(self.geometry, geometry))


def mean_under(features: Tensor, masks: Tensor) -> Tensor:
    """Return the mean (B, R, D) of features (B, D, h, w) under masks (B, R, H, W) that sum to 1.

    Features of a coarser grid are averaged under the share of the mask that each of their cells holds.
    """
    cells = (features.shape[-2], features.shape[-1])
    if masks.shape[-2:] != cells:
        masks = functional.adaptive_avg_pool2d(masks, cells)
        masks = masks / masks.sum(dim=(-2, -1), keepdim=True).clamp(min=1e-6)
    return torch.bmm(masks.flatten(2).to(features.dtype), features.flatten(2).transpose(1, 2))

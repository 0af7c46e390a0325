"""What a region's vector is made of: points of the picture, drawn the same for the same region every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from deixis.errors import BadRegion
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.regions.pixels import RegionPixels


class RegionSampling(Protocol):
    """Where a network looks for what is in a region; travels to loader workers."""

    def draw(self, regions: Sequence[RegionPixels], pictures: Sequence[int]) -> DrawnRegions:
        """Return the drawn regions of a batch; pictures: which of the batch's each region is in."""
        ...


class NoSampling:
    """Regions without vectors: words or paint say all of them."""

    def draw(self, regions: Sequence[RegionPixels], pictures: Sequence[int]) -> DrawnRegions:
        """Return no regions; BadRegion for one that was to have a vector."""
        if regions:
            raise BadRegion(f"this system gives regions no vectors; {len(regions)} were to have one")
        none = torch.zeros(0, dtype=torch.int64)
        return DrawnRegions(torch.zeros(0, 1, 2), none, torch.zeros(0, 0, dtype=torch.int64))

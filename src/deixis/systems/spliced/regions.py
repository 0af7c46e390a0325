"""What a region's vector is made of: points of the picture, drawn the same for the same region every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deixis.layers.regions.point_draws import DrawnRegions
from deixis.regions.pixels import RegionPixels


class RegionSampling(Protocol):
    """Where a network looks for what is in a region; travels to loader workers."""

    def draw(self, regions: Sequence[RegionPixels], pictures: Sequence[int]) -> DrawnRegions:
        """Return the drawn regions of a batch; pictures: which of the batch's each region is in."""
        ...

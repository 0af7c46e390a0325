"""Regions as the network takes them: soft masks over the place map, and coarse geometry."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from deixis.layers.places.place_map import STRIDE
from deixis.layers.regions.box_sampling import GEOMETRY
from deixis.regions.shapes import Region
from deixis.regions.soft_mask import soft_mask
from deixis.systems.pointer.options import PointerOptions


def region_tensors(rows: Sequence[Sequence[Region]], config: PointerOptions) -> dict[str, Tensor]:
    """Return region_masks (B, R, H, W), region_geometry (B, R, G), region_present (B, R).

    Regions are bound to the frame of the square picture that the network sees.
    """
    cells = config.side // STRIDE
    most = max((len(row) for row in rows), default=0)
    masks = torch.zeros(len(rows), most, cells, cells)
    geometry = torch.zeros(len(rows), most, GEOMETRY)
    present = torch.zeros(len(rows), most, dtype=torch.bool)
    for b, row in enumerate(rows):
        for r, region in enumerate(row):
            masks[b, r] = torch.from_numpy(soft_mask(region, height=cells, width=cells))
            geometry[b, r] = torch.tensor(region_geometry(region, side=config.side))
            present[b, r] = True
    return {"region_masks": masks, "region_geometry": geometry, "region_present": present}


def region_geometry(region: Region, *, side: int) -> list[float]:
    """Return x0 y0 x1 y1 cx cy w h of a region's bounds, as fractions of the square picture's side."""
    x0, y0, x1, y1 = (value / side for value in region.bounds().as_tuple())
    return [x0, y0, x1, y1, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]

"""Samples of a map inside boxes (RoIAlign; He et al., 2017), in float32 whatever the map is in."""

from __future__ import annotations

import torch
from torch import Tensor


def pool_boxes(maps: Tensor, boxes: Tensor, *, side: int, scale: float, samples: int = 2) -> Tensor:
    """Return samples (R, C, side, side) of maps (B, C, H, W) inside boxes (R, 5), in the maps' type.

    boxes: number of the map, then x0 y0 x1 y1, which become cells of the map times ``scale``; edges are
    continuous. A box whose corners are the wrong way round is sampled backwards. Samples outside of the map
    are zero. samples: for each bin and axis; 0 is as many as cells that the bin covers.
    """
    from torchvision.ops import roi_align

    with torch.autocast(maps.device.type, enabled=False):
        pooled: Tensor = roi_align(
            maps.float(), boxes.float(), side, spatial_scale=scale, sampling_ratio=samples, aligned=True
        )
    return pooled.to(maps.dtype)

"""What lies inside a box on a feature map: samples on a small grid, and means.

Boxes are ``x0 y0 x1 y1`` as fractions of the side of the square picture.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SAMPLES = 3  # per axis
GEOMETRY = 8  # x0 y0 x1 y1 cx cy w h, each divided by the side of the square picture


def box_geometry(units: Tensor) -> Tensor:
    """Return x0 y0 x1 y1 cx cy w h (..., 8) of boxes (..., 4), all fractions of the side.

    >>> box_geometry(torch.tensor([0.0, 0.25, 0.5, 0.75])).tolist()
    [0.0, 0.25, 0.5, 0.75, 0.25, 0.5, 0.5, 0.5]
    """
    middle, size = (units[..., :2] + units[..., 2:]) / 2, units[..., 2:] - units[..., :2]
    return torch.cat([units, middle, size], dim=-1)


def samples_inside(features: Tensor, units: Tensor) -> Tensor:
    """Return bilinear samples (B, N, 9 * D) of features (B, D, H, W) on a grid inside boxes (B, N, 4).

    Boxes are fractions of the side; sampling runs in float32 whatever the precision of the network.
    """
    steps = (torch.arange(SAMPLES, device=units.device) + 0.5) / SAMPLES
    xs = units[..., :1] + steps * (units[..., 2:3] - units[..., :1])  # (B, N, 3)
    ys = units[..., 1:2] + steps * (units[..., 3:4] - units[..., 1:2])
    grid = torch.stack(
        [xs[:, :, None, :].expand(-1, -1, SAMPLES, -1), ys[:, :, :, None].expand(-1, -1, -1, SAMPLES)], dim=-1
    )  # (B, N, 3, 3, 2)
    grid = grid.flatten(2, 3) * 2 - 1  # (B, N, 9, 2)
    with torch.autocast(features.device.type, enabled=False):
        sampled = functional.grid_sample(features.float(), grid.float(), align_corners=False)  # (B, D, N, 9)
    return sampled.permute(0, 2, 3, 1).flatten(2)


def mean_inside(features: Tensor, units: Tensor) -> Tensor:
    """Return means (B, N, D) of features (B, D, H, W) over boxes (B, N, 4), cells by the share covered."""
    rows = covered(units[..., 1], units[..., 3], features.shape[-2])  # (B, N, H)
    columns = covered(units[..., 0], units[..., 2], features.shape[-1])  # (B, N, W)
    weights = (rows[..., :, None] * columns[..., None, :]).flatten(2)  # (B, N, H * W)
    weights = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)
    return torch.bmm(weights.to(features.dtype), features.flatten(2).transpose(1, 2))


def covered(low: Tensor, high: Tensor, cells: int) -> Tensor:
    """Return how much (B, N, cells) of each cell lies between low and high (B, N), fractions of the side."""
    edges = torch.arange(cells + 1, device=low.device) / cells
    return (torch.minimum(edges[1:], high[..., None]) - torch.maximum(edges[:-1], low[..., None])).clamp(
        min=0
    ) * cells

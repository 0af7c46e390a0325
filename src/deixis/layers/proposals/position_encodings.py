"""Sines and cosines of where something is: of the cells of a grid, and of boxes (Carion et al., 2020).

All of them are worked out in float32, whatever the precision of the network around.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BASE = 10_000.0
EPSILON = 1e-6


def waves(angles: Tensor, width: int) -> Tensor:
    """Return encodings (..., width) of angles (...): sines at even places, cosines at odd ones.

    Neighbouring places share a frequency; the lowest is 10,000 times slower than the highest.
    """
    places = torch.arange(width, dtype=torch.float32, device=angles.device)
    slow = BASE ** (2 * torch.div(places, 2, rounding_mode="floor") / width)
    turned = angles.float()[..., None] / slow  # (..., width)
    return torch.stack([turned[..., 0::2].sin(), turned[..., 1::2].cos()], dim=-1).flatten(-2)


def grid_encoding(height: int, width: int, *, channels: int, device: torch.device | None = None) -> Tensor:
    """Return the encodings (channels, height, width) of a grid's cells: rows first, then columns."""
    rows, columns = (
        (torch.arange(count, dtype=torch.float32, device=device) + 0.5) / (count + EPSILON) * 2 * math.pi
        for count in (height, width)
    )
    down = waves(rows, channels // 2)[:, None].expand(-1, width, -1)
    across = waves(columns, channels // 2)[None].expand(height, -1, -1)
    return torch.cat([down, across], dim=-1).permute(2, 0, 1)  # (channels, height, width)


def box_encoding(boxes: Tensor, *, channels: int) -> Tensor:
    """Return the encodings (..., 4 * channels) of boxes (..., 4), each number for itself.

    >>> box_encoding(torch.zeros(1, 4), channels=2).tolist()
    [[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]]
    """
    return waves(boxes.float() * 2 * math.pi, channels).flatten(-2)

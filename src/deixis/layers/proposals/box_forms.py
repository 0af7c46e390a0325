"""Boxes as middle and size, as corners, and as logits."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-5


def corners(boxes: Tensor) -> Tensor:
    """Return the corners (..., 4) x0 y0 x1 y1 of boxes (..., 4) cx cy w h.

    >>> corners(torch.tensor([0.5, 0.5, 0.5, 0.25])).tolist()
    [0.25, 0.375, 0.75, 0.625]
    """
    middle, half = boxes[..., :2], boxes[..., 2:] * 0.5
    return torch.cat([middle - half, middle + half], dim=-1)


def middles(boxes: Tensor) -> Tensor:
    """Return cx cy w h (..., 4) of corners (..., 4).

    >>> middles(torch.tensor([0.25, 0.375, 0.75, 0.625])).tolist()
    [0.5, 0.5, 0.5, 0.25]
    """
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def inverse_sigmoid(shares: Tensor) -> Tensor:
    """Return the logits of numbers in 0..1; those within 1e-5 of an end are taken to be that far from it."""
    shares = shares.clamp(0, 1)
    return torch.log(shares.clamp(min=EPSILON) / (1 - shares).clamp(min=EPSILON))


def overlaps(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and generalised IoU (...) of corners (..., 4) with others, pair by pair; they broadcast.

    Two boxes without any area have an IoU of 0.
    """
    # Number by number: along an axis of four or two, nothing is computed at once.
    x0, y0, x1, y1 = first.unbind(dim=-1)
    u0, v0, u1, v1 = second.unbind(dim=-1)
    wide = (torch.minimum(x1, u1) - torch.maximum(x0, u0)).clamp(min=0)
    high = (torch.minimum(y1, v1) - torch.maximum(y0, v0)).clamp(min=0)
    shared = wide * high
    union = (x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared
    hull_wide = (torch.maximum(x1, u1) - torch.minimum(x0, u0)).clamp(min=0)
    hull_high = (torch.maximum(y1, v1) - torch.minimum(y0, v0)).clamp(min=0)
    hull = hull_wide * hull_high
    least = torch.finfo(union.dtype).tiny
    iou = shared / union.clamp(min=least)
    return iou, iou - (hull - union) / hull.clamp(min=least)


def pair_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoUs (N, M) of boxes (N, 4) with boxes (M, 4), both corners."""
    return overlaps(first[:, None], second[None])[0]

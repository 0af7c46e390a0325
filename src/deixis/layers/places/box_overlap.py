"""How much boxes overlap: IoU of pairs, generalised IoU, and which of a picture's many boxes agree.

Boxes are ``x0 y0 x1 y1`` with continuous edges, all of one frame.
"""

from __future__ import annotations

import torch
from torch import Tensor

from deixis.layers.places.place_map import BoxOverlap

AGREE = 0.5  # IoU from which another location's share counts as mass
APART = 0.6  # IoU from which a location is no further candidate
ROWS = 128  # of an L x L table, worked out together: what stays in a processor's cache


def iou_of_pairs(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoUs (..., K, M) of boxes (..., K, 4) with boxes (..., M, 4), both xyxy."""
    low = torch.maximum(first[..., :, None, :2], second[..., None, :, :2])
    high = torch.minimum(first[..., :, None, 2:], second[..., None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(dim=-1) for boxes in (first, second)]
    return shared / (areas[0][..., :, None] + areas[1][..., None, :] - shared).clamp(min=1e-6)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the generalised IoU (n,) of boxes (n, 4) xyxy (Rezatofighi et al., 2019)."""
    low, high = torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])
    shared = (high - low).clamp(min=0).prod(dim=1)
    areas = (first[:, 2:] - first[:, :2]).prod(dim=1), (second[:, 2:] - second[:, :2]).prod(dim=1)
    union = areas[0] + areas[1] - shared
    hull_low, hull_high = (
        torch.minimum(first[:, :2], second[:, :2]),
        torch.maximum(first[:, 2:], second[:, 2:]),
    )
    hull = (hull_high - hull_low).prod(dim=1).clamp(min=1e-6)
    return shared / union.clamp(min=1e-6) - (hull - union) / hull


@torch.no_grad()
def overlap_of(boxes: Tensor) -> BoxOverlap:
    """Return which of the boxes (B, L, 4) of each picture overlap; worked out in float32."""
    boxes = boxes.float()
    # A few rows at a time: L x L numbers in float32 would need ten times the memory of what is kept.
    agree, same = [], []
    for rows in boxes.split(ROWS, dim=1):
        shared, areas = overlaps(rows, boxes)  # (B, R, L) each, areas of both boxes together
        agree.append(exceeds(shared, areas, AGREE))
        same.append(exceeds(shared, areas, APART))
    return BoxOverlap(agree=torch.cat(agree, dim=1), same=torch.cat(same, dim=1))


def overlaps(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shared areas (B, R, L) of boxes (B, R, 4) and others (B, L, 4), and the sums of areas."""
    x0, y0, x1, y1 = boxes[..., None].unbind(dim=-2)  # (B, R, 1) each
    u0, v0, u1, v1 = others[:, None].unbind(dim=-1)  # (B, 1, L) each
    wide = torch.minimum(x1, u1).sub_(torch.maximum(x0, u0)).clamp_(min=0)
    high = torch.minimum(y1, v1).sub_(torch.maximum(y0, v0)).clamp_(min=0)
    own, their = (
        (x1 - x0).clamp(min=0) * (y1 - y0).clamp(min=0),
        (u1 - u0).clamp(min=0) * (v1 - v0).clamp(min=0),
    )
    return wide.mul_(high), own + their


def exceeds(shared: Tensor, areas: Tensor, iou: float) -> Tensor:
    """Tell where the IoU is larger than ``iou``: shared / (areas - shared) > iou, without the division."""
    return shared > areas * (iou / (1 + iou))

"""From the scores of a place token to places in the picture: one, several or none.

The softmax over locations and "nowhere" is read as follows. The share of "nowhere" decides whether there is
a place at all. The best locations are then ranked by mass: the sum of the shares of all locations whose boxes
overlap theirs, which is a better score than a single peak. Those that overlap a better one are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import box_iou, nms

from deixis.answers.grounded import Place
from deixis.regions.frames import Frame, convert
from deixis.regions.shapes import Box

CANDIDATES = 80
TIE = 1e-3  # how much a location's own share counts beside its mass
LEAST_SIDE = 1.0  # pixels of the view that a box must keep inside the picture


@dataclass(frozen=True)
class PlaceRule:
    """Thresholds, chosen on pictures held out of training.

    nowhere: share of "nowhere" above which the answer is that it is not in the picture.
    least: mass that a second or later place needs. agree: IoU from which another location's share counts as
    mass.
    apart: IoU from which a place is the same as a better one. vote: whether the box of a place is the mean
    of the agreeing boxes, weighted by their shares.
    """

    nowhere: float = 0.5
    least: float = 0.25
    agree: float = 0.5
    apart: float = 0.5
    vote: bool = False


@dataclass(frozen=True)
class PlaceReading:
    """What one place token says. boxes (k, 4): xyxy in pixels of the view; masses (k,), best first."""

    boxes: Tensor
    masses: Tensor
    nowhere_share: float
    nowhere: bool


def read_places(
    locations: Tensor,
    nowhere: Tensor,
    boxes: Tensor,
    *,
    inside: tuple[float, float, float, float],
    rule: PlaceRule,
) -> PlaceReading:
    """Return the places of one place token.

    locations (L,) logits and nowhere () in one softmax; boxes (L, 4) xyxy in pixels of the view; inside: the
    part of the view that is picture, to which boxes are cut.
    """
    shares = torch.cat([locations, nowhere[None]]).float().softmax(dim=0)
    nowhere_share = float(shares[-1])
    low, high = boxes.new_tensor(inside[:2] * 2), boxes.new_tensor(inside[2:] * 2)
    cut = boxes.float().clamp(min=low, max=high)
    usable = (cut[:, 2:] - cut[:, :2]).amin(dim=1) >= LEAST_SIDE
    shares = shares[:-1] * usable
    best = shares.topk(min(CANDIDATES, len(shares))).indices
    overlaps = box_iou(cut[best], cut) * usable  # (k, L)
    agreeing = (overlaps > rule.agree) * shares
    masses = agreeing.sum(dim=1)
    candidates = cut[best]
    if rule.vote:
        candidates = agreeing @ cut / masses.clamp(min=1e-9)[:, None]
    # Neighbours that agree with the same locations have one mass: rounding must not choose a box among them.
    kept = nms(candidates, masses + TIE * shares[best], rule.apart)
    kept = kept[masses[kept] > 0]
    kept = kept[masses[kept].argsort(descending=True, stable=True)]
    # The best place is kept whatever its mass: whether there is any is for "nowhere" to say.
    kept = kept[(masses[kept] >= rule.least) | (torch.arange(len(kept)) == 0)]
    absent = nowhere_share > rule.nowhere or len(kept) == 0
    return PlaceReading(candidates[kept], masses[kept], nowhere_share, absent)


def places_in(reading: PlaceReading, *, view: Frame, original: Frame) -> tuple[Place, ...]:
    """Return the places of a reading in the original frame, best first; none if it is nowhere."""
    if reading.nowhere:
        return ()
    corners = convert(reading.boxes.double().reshape(-1, 2, 2).numpy(), view, original).reshape(-1, 4)
    width, height = original.size
    places = []
    for (x0, y0, x1, y1), mass in zip(corners.tolist(), reading.masses.tolist(), strict=True):
        box = Box(max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height), frame=original)
        places.append(Place(box=box, score=min(mass, 1.0)))
    return tuple(places)


def picture_part(view: Frame, original: Frame) -> tuple[float, float, float, float]:
    """Return x0 y0 x1 y1 of the part of the view that shows the picture, in pixels of the view."""
    width, height = original.size
    x0, y0, x1, y1 = convert([[0.0, 0.0], [width, height]], original, view).ravel().tolist()
    view_width, view_height = view.size
    return max(x0, 0.0), max(y0, 0.0), min(x1, view_width), min(y1, view_height)

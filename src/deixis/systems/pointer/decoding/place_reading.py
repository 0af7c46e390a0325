"""From the scores of a place token to places in the picture: one, several or none.

The softmax over locations and "nowhere" is read as follows. The share of "nowhere" decides whether there is
a place at all. The best locations are then ranked by mass: the sum of the shares of all locations whose boxes
overlap theirs, which is a better score than a single peak. They are picked one by one; what agreed with a
picked place counts no more, and what overlaps it is no other place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from deixis.answers.grounded import Place
from deixis.errors import BadWeights
from deixis.layers.places.box_overlap import iou_of_pairs
from deixis.regions.frames import Frame, convert
from deixis.regions.shapes import Box

CANDIDATES = 80
MOST_PLACES = 32
TIE = 1e-3  # how much a location's own share counts beside its mass
NEVER_SURE = 1e-4  # how near to 0 and 1 a mass counts
SUREST = 0.999  # score of "nowhere" that is told at most: the phrases held out are too few to know more
UNCHANGED = (1.0, 0.0, 0.0, 0.0)  # the score of a place is its mass
LEAST_SIDE = 1.0  # pixels of the view that a box must keep inside the picture


@dataclass(frozen=True)
class PlaceRule:
    """Thresholds, chosen on pictures held out of training.

    nowhere: share of "nowhere" above which the answer is that it is not in the picture. nowhere_if_open: the
    same for questions that leave open whether it is, such as "is there ...?"; None: no different.
    least: mass that a second or later place needs. agree: IoU from which another location's share counts as
    mass.
    apart: IoU from which a place is the same as a better one. vote: whether the box of a place is the mean
    of the agreeing boxes, weighted by their shares. weigh: the power of a box's quality by which its share
    is multiplied. trust: how the log odds of a mass, of "nowhere" and of a box's quality add up to those of
    being right, and what is added to them (Platt, 1999).
    """

    nowhere: float = 0.5
    nowhere_if_open: float | None = None
    least: float = 0.25
    agree: float = 0.5
    apart: float = 0.5
    vote: bool = False
    weigh: float = 0.0
    trust: tuple[float, float, float, float] = UNCHANGED

    def __post_init__(self) -> None:
        object.__setattr__(self, "trust", tuple(self.trust))
        if len(self.trust) != len(UNCHANGED):
            raise TypeError(f"trust is {self.trust}; expected {len(UNCHANGED)} numbers")

    def open_minded(self) -> PlaceRule:
        """Return the rule for a question that leaves open whether there is any place."""
        return self if self.nowhere_if_open is None else replace(self, nowhere=self.nowhere_if_open)

    def score(self, masses: Tensor, nowhere_share: float, quality: Tensor | None) -> Tensor:
        """Return how likely places (n,) are right, 0..1, best first: never more than the place before."""
        if tuple(self.trust) == UNCHANGED or len(masses) == 0:
            return masses
        evidence = evidence_of(masses, nowhere_share, quality)
        return torch.sigmoid(evidence @ evidence.new_tensor(self.trust)).cummin(dim=0).values


def evidence_of(masses: Tensor, nowhere_share: float, quality: Tensor | None) -> Tensor:
    """Return (n, 4) float64: log odds of masses (n,), of "nowhere", of quality (0: none is known), and 1."""
    mass = torch.logit(masses.double(), eps=NEVER_SURE)
    nowhere = torch.logit(mass.new_tensor(nowhere_share), eps=NEVER_SURE).expand_as(mass)
    known = torch.zeros_like(mass) if quality is None else quality.double()
    return torch.stack([mass, nowhere, known, torch.ones_like(mass)], dim=-1)


@dataclass(frozen=True)
class PlaceReading:
    """What one place token says. boxes (k, 4): xyxy in pixels of the view; masses (k,), best first.

    nowhere: whether there is no place. scores (k,): how likely each place is right; the masses where a rule
    has nothing to add to them. quality (k,): logits of each box being right, if the network says.
    """

    boxes: Tensor
    masses: Tensor
    nowhere_share: float
    nowhere: bool
    scores: Tensor | None = None
    quality: Tensor | None = None


def read_places(
    locations: Tensor,
    nowhere: Tensor,
    boxes: Tensor,
    *,
    inside: tuple[float, float, float, float],
    rule: PlaceRule,
    quality: Tensor | None = None,
) -> PlaceReading:
    """Return the places of one place token.

    locations (L,) logits and nowhere () in one softmax; boxes (L, 4) xyxy in pixels of the view; inside: the
    part of the view that is picture, to which boxes are cut; quality (L,) logits of each box being right.
    """
    shares = torch.cat([locations, nowhere[None]]).float().softmax(dim=0)
    if not shares.isfinite().all():
        raise BadWeights("the network gave scores that are not finite; its weights are damaged or overflow")
    nowhere_share = float(shares[-1])
    low, high = boxes.new_tensor(inside[:2] * 2), boxes.new_tensor(inside[2:] * 2)
    cut = boxes.float().clamp(min=low, max=high)
    usable = (cut[:, 2:] - cut[:, :2]).amin(dim=1) >= LEAST_SIDE
    shares = shares[:-1] * usable
    if rule.weigh and quality is not None:
        shares = shares * quality.float().sigmoid() ** rule.weigh
    best = shares.topk(min(CANDIDATES, len(shares))).indices
    overlaps = iou_of_pairs(cut[best], cut) * usable  # (k, L)
    boxes, masses, which = pick_places(cut, shares, overlaps, candidates=best, rule=rule)
    own = None if quality is None else quality[which]
    if len(masses) == 0:  # all that was chosen lies beside the picture
        nowhere_share = 1.0
    absent = nowhere_share > rule.nowhere or len(masses) == 0
    scores = rule.score(masses, nowhere_share, own)
    return PlaceReading(boxes, masses, nowhere_share, absent, scores, own)


def pick_places(
    cut: Tensor, shares: Tensor, overlaps: Tensor, *, candidates: Tensor, rule: PlaceRule
) -> tuple[Tensor, Tensor, Tensor]:
    """Return boxes (n, 4), masses (n,) and indices (n,) into ``cut``, best first, picked one by one.

    cut (L, 4) and shares (L,) of all locations; candidates (k,) indices into them, overlaps (k, L) their
    IoUs.

    A location counts for one place only: what agrees with a picked place is taken away before the next is
    weighed, so that masses never add up to more than 1. The best place is picked whatever its mass: whether
    there is any is for "nowhere" to say.
    """
    agreeing, left = overlaps > rule.agree, shares.clone()
    free = torch.ones(len(overlaps), dtype=torch.bool)
    boxes: list[Tensor] = []
    masses: list[Tensor] = []
    picked: list[Tensor] = []
    while free.any() and len(boxes) < MOST_PLACES:
        weights = agreeing * left  # (k, L)
        sums = weights.sum(dim=1) * free
        # Neighbours that agree with the same locations have one mass: rounding must not choose among them.
        index = (sums + TIE * shares[candidates] * free).argmax()
        mass = sums[index]
        if mass <= 0 or (boxes and mass < rule.least):
            break
        chosen = weights[index]
        boxes.append(chosen @ cut / mass if rule.vote else cut[candidates[index]])
        masses.append(mass)
        picked.append(candidates[index])
        left = left * ~agreeing[index]
        free &= overlaps[:, candidates[index]] <= rule.apart
    if not boxes:
        return cut.new_zeros(0, 4), cut.new_zeros(0), candidates[:0]
    # The tie-break may have picked two of nearly the same mass out of order.
    order = torch.stack(masses).argsort(descending=True, stable=True)
    return torch.stack(boxes)[order], torch.stack(masses)[order], torch.stack(picked)[order]


def places_in(reading: PlaceReading, *, view: Frame, original: Frame) -> tuple[Place, ...]:
    """Return the places of a reading in the original frame, best first; none if it is nowhere."""
    if reading.nowhere:
        return ()
    corners = convert(reading.boxes.double().reshape(-1, 2, 2).numpy(), view, original).reshape(-1, 4)
    width, height = original.size
    places = []
    scores = reading.masses if reading.scores is None else reading.scores
    for (x0, y0, x1, y1), score in zip(corners.tolist(), scores.tolist(), strict=True):
        box = Box(max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height), frame=original)
        places.append(Place(box=box, score=min(score, 1.0)))
    return tuple(places)


def picture_part(view: Frame, original: Frame) -> tuple[float, float, float, float]:
    """Return x0 y0 x1 y1 of the part of the view that shows the picture, in pixels of the view."""
    width, height = original.size
    x0, y0, x1, y1 = convert([[0.0, 0.0], [width, height]], original, view).ravel().tolist()
    view_width, view_height = view.size
    return max(x0, 0.0), max(y0, 0.0), min(x1, view_width), min(y1, view_height)

"""What a place token says: a choice among locations or refined candidates, and "nowhere", in one softmax."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PlaceScores:
    """What a place token says: a distribution over the locations of the map and "nowhere"."""

    locations: Tensor  # (B, P, L) logits
    nowhere: Tensor  # (B, P) logit of "not in the picture", in the same softmax

    def joint(self) -> Tensor:
        """Return the logits (B, P, L + 1), "nowhere" last."""
        return torch.cat([self.locations, self.nowhere[..., None]], dim=-1)


@dataclass(frozen=True)
class Pointed:
    """The boxes that a place token chooses from (locations or candidates) and "nowhere", in one softmax."""

    scores: Tensor  # (B, P, K) logits
    nowhere: Tensor  # (B, P) logit
    boxes: Tensor  # (B, P, K, 4) xyxy in pixels of the square picture
    quality: Tensor | None = None  # (B, P, K) logits of each box being right; only the box refiner says

    def beside(self, other: Pointed, *, scale: float) -> Pointed:
        """Return the boxes of both in one softmax, each having half of it.

        other: of the same pictures at another size, whose boxes times ``scale`` are in our pixels.
        """
        assert self.quality is not None and other.quality is not None, "both were looked at twice"
        ours, theirs = (
            torch.cat([one.scores, one.nowhere[..., None]], dim=-1).log_softmax(dim=-1) - math.log(2)
            for one in (self, other)
        )
        return Pointed(
            scores=torch.cat([ours[..., :-1], theirs[..., :-1]], dim=-1),
            nowhere=torch.logaddexp(ours[..., -1], theirs[..., -1]),
            boxes=torch.cat([self.boxes, other.boxes * scale], dim=2),
            quality=torch.cat([self.quality, other.quality], dim=-1),
        )


class PlaceHead(nn.Module):
    """Turn the hidden state at a place token into a choice among the locations of the map."""

    def __init__(self, *, width: int, map_width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, map_width)
        self.nowhere = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, hidden: Tensor, keys: Tensor) -> PlaceScores:
        """hidden (B, P, W) against keys (B, D, L); in float32, lest the best locations be tied."""
        locations = torch.bmm(self.query(hidden).float(), keys.float()) * keys.shape[1] ** -0.5  # (B, P, L)
        return PlaceScores(locations=locations, nowhere=self.nowhere(hidden)[..., 0].to(locations.dtype))

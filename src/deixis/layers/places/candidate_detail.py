"""What the tower's own maps say of candidate places, beside the fused ones.

Its last map tells what a thing is, in the terms that ImageNet taught; its map at stride 4, inside a box and
around it, tells where small things end, which stride 8 blurs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.regions.box_sampling import SAMPLES, mean_inside, samples_inside

# ImageNet's towers leave entries of about these sizes; divided by them, neither map drowns the other.
HEAD_SIZE, EARLY_SIZE = 0.35, 9.0
AROUND = 0.25  # of width and height: how far beyond each edge of a box its surroundings are read


class CandidateDetail(nn.Module):
    """Turn candidates into further vectors, zero to begin with.

    head_width, early_width: channels of the tower's last map and of its map at stride 4.
    """

    def __init__(self, *, head_width: int, early_width: int, width: int) -> None:
        super().__init__()
        inputs = head_width + 2 * SAMPLES * SAMPLES * early_width
        self.read = nn.Sequential(nn.Linear(inputs, 2 * width), nn.GELU())
        self.out = nn.Linear(2 * width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, places: PlaceMap, boxes: Tensor) -> Tensor:
        """Return vectors (B, P, K, W) of boxes (B, P, K, 4), xyxy in pixels of the tower's input."""
        units = boxes.flatten(1, 2) / (STRIDE * places.fine.shape[-1])  # (B, P * K, 4)
        return self.out(self.read(self.inside(places, units))).view(*boxes.shape[:3], -1)

    def inside(self, places: PlaceMap, units: Tensor) -> Tensor:
        """Return what the maps hold inside and around boxes (B, N, 4), fractions of the side."""
        assert places.head is not None and places.early is not None, "the tower's own maps are read"
        size = units[..., 2:] - units[..., :2]
        wider = units + AROUND * torch.cat([-size, size], dim=-1)
        parts = [
            mean_inside(places.head, units) / HEAD_SIZE,
            samples_inside(places.early, units) / EARLY_SIZE,
            samples_inside(places.early, wider) / EARLY_SIZE,
        ]
        return torch.cat([part.to(parts[0].dtype) for part in parts], dim=-1)

"""A classifier of what a region is called, learnt apart from the language model.

A language model that sees the same pictures again and again learns their regions by heart. This classifier
reads the finished network's maps, learns with most of them dropped, and stays open to what it hasn't seen.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.places.place_map import PlaceMap
from deixis.layers.precision import read_by
from deixis.layers.regions.box_sampling import GEOMETRY, box_geometry, mean_inside
from deixis.layers.regions.region_view import pointed_boxes

HIDDEN = 376
INPUT_DROPOUT, HIDDEN_DROPOUT = 0.7, 0.6  # shares, while it learns
NEVER = -100.0  # what a word piece that begins no name has for a bias and for a log share


class RegionClassifier(nn.Module):
    """Tell how likely each word piece begins what a region is called.

    head_width, map_width: channels of the tower's last map and of the place map. words, word_width: rows and
    columns of the table of word vectors, which the caller owns.
    """

    mean: Tensor
    spread: Tensor
    usual_names: Tensor
    usual_qualities: Tensor

    def __init__(self, *, head_width: int, map_width: int, words: int, word_width: int) -> None:
        super().__init__()
        size = 2 * head_width + 3 * map_width + GEOMETRY
        # Of what the maps hold in the regions that this was fitted on.
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        # By word piece: the log of its share in what nouns of phrases begin with, and in words of qualities.
        self.register_buffer("usual_names", torch.full((words,), NEVER))
        self.register_buffer("usual_qualities", torch.full((words,), NEVER))
        self.hidden = nn.Linear(size, HIDDEN)
        self.out = nn.Linear(HIDDEN, word_width)
        self.bias = nn.Parameter(torch.full((words,), NEVER))

    @property
    def pieces(self) -> Tensor:
        """The ids (N,) of the word pieces that begin a name."""
        return (self.bias > NEVER / 2).nonzero()[:, 0]

    @property
    def qualities(self) -> Tensor:
        """The ids (M,) of the word pieces that tell qualities."""
        return (self.usual_qualities > NEVER / 2).nonzero()[:, 0]

    def grow(self, words: int) -> None:
        """Make room for further words, none of which begins a name."""
        further = words - len(self.bias)
        self.bias = nn.Parameter(functional.pad(self.bias.detach(), (0, further), value=NEVER))
        self.usual_names = functional.pad(self.usual_names, (0, further), value=NEVER)
        self.usual_qualities = functional.pad(self.usual_qualities, (0, further), value=NEVER)

    def forward(self, seen: Tensor, words: Tensor) -> Tensor:
        """Return logits (K, V) of what was seen in regions (K, S); words (V, E): the vectors of all words."""
        normal = read_by(self.hidden, (seen - self.mean) / self.spread)
        hidden = functional.gelu(self.hidden(functional.dropout(normal, INPUT_DROPOUT, self.training)))
        vectors = self.out(functional.dropout(hidden, HIDDEN_DROPOUT, self.training))
        return vectors @ words.T * words.shape[1] ** -0.5 + self.bias


def seen_in(places: PlaceMap, masks: Tensor, geometry: Tensor) -> Tensor:
    """Return what the maps hold in regions and around them (B, R, S); arguments as of RegionEncoder.

    A point is read as the box that the map proposes there.
    """
    assert places.head is not None, "a network with region_namer maps the tower's head, too"
    units = pointed_boxes(places, masks, geometry)  # (B, R, 4)
    around = places.head.mean(dim=(-2, -1))[:, None].expand(-1, units.shape[1], -1)
    maps = (places.head, places.middle, places.coarse, places.fine)
    parts = [*(mean_inside(depth, units) for depth in maps), around, box_geometry(units)]
    return torch.cat([part.float() for part in parts], dim=-1)

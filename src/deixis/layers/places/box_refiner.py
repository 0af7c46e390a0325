"""The box refiner: the few best places of a phrase are compared with each other, refined, or none of them.

The first look chooses among all locations at once and mostly has the right box among its few best; choosing
between those needs a closer look at each. The idea is that of two-stage detectors and of Groma's
propose-then-encode, with the phrase's own query as the judge; see docs/pointer.md.

Boxes are ``x0 y0 x1 y1`` in pixels of the square picture given to the tower.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.places.box_overlap import overlap_of
from deixis.layers.places.candidate_detail import CandidateDetail
from deixis.layers.places.place_map import STRIDE, BoxOverlap, PlaceMap
from deixis.layers.precision import read_by
from deixis.layers.regions.box_sampling import (
    GEOMETRY,
    SAMPLES,
    box_geometry,
    mean_inside,
    samples_inside,
)

REACH = 0.5  # of width and height: how far a refined edge may move
LEAST = 1e-8
LOWEST = -20.0  # of a logarithm
# Pictures whose overlaps are worked out together: one on a processor, elsewhere as many as memory allows.
AT_ONCE, MANY = {"cpu": 1}, 32


@dataclass(frozen=True)
class Candidates:
    """The places that are looked at again, best mass first; no gradient flows through their choice."""

    boxes: Tensor  # (B, P, K, 4) xyxy in pixels of the tower's input
    mass: Tensor  # (B, P, K) log of the summed share of the locations that agree
    peak: Tensor  # (B, P, K) log of the location's own share
    nowhere: Tensor  # (B, P) log of the share of "nowhere"


@dataclass(frozen=True)
class RefinedBoxes:
    """What the refiner says: a distribution over the candidates and "none of these"."""

    scores: Tensor  # (B, P, K) logits
    none: Tensor  # (B, P) logit in the same softmax
    boxes: Tensor  # (B, P, K, 4) refined
    quality: Tensor  # (B, P, K) logit of the refined box being right, whatever the others are


@torch.no_grad()
def choose_candidates(
    locations: Tensor, nowhere: Tensor, boxes: Tensor, *, count: int, overlap: BoxOverlap | None = None
) -> Candidates:
    """Return the ``count`` best places by mass that are apart from each other.

    Where too few are apart, others follow, each location once; fewer only where there are fewer locations.
    locations (B, P, L) and nowhere (B, P): logits of one softmax; boxes (B, L, 4). overlap: of these boxes,
    if it has been worked out before.
    """
    shares = torch.cat([locations, nowhere[..., None]], dim=-1).float().log_softmax(dim=-1)  # (B, P, L + 1)
    located, count = shares[..., :-1].exp(), min(count, boxes.shape[1])
    if overlap is None:
        # Picture by picture on a processor: the L x L overlaps of one stay in the cache.
        some = AT_ONCE.get(located.device.type, MANY)
        lots = zip(located.split(some), boxes.split(some), strict=True)
        picked = [best_apart(shares, overlap_of(theirs), count=count) for shares, theirs in lots]
        index, masses = torch.cat([i for i, _ in picked]), torch.cat([m for _, m in picked])  # (B, P, K)
    else:
        index, masses = best_apart(located, overlap, count=count)
    return Candidates(
        boxes=boxes.float().gather(1, index.flatten(1)[..., None].expand(-1, -1, 4)).view(*index.shape, 4),
        mass=masses.clamp(min=LEAST).log(),
        peak=located.gather(-1, index).clamp(min=LEAST).log(),
        nowhere=shares[..., -1].clamp(min=LOWEST),
    )


def best_apart(shares: Tensor, overlap: BoxOverlap, *, count: int) -> tuple[Tensor, Tensor]:
    """Return the indices (B, P, K) and masses of the best locations that are apart from each other.

    shares (B, P, L) of the locations.
    """
    # Rounded to bfloat16, masses would be tied, and training would look at others than answering does.
    with torch.autocast(shares.device.type, enabled=False):
        masses = shares @ overlap.agree.to(shares.dtype)  # (B, P, L)
    same, picture = overlap.same, torch.arange(len(shares), device=shares.device)[:, None]
    left, picked = masses.clone(), []
    for _ in range(count):
        best = left.argmax(dim=-1)  # (B, P)
        picked.append(best)
        # A box without area overlaps not even itself: it is taken out by its own index, for good.
        left = left.masked_fill(same[picture, best] & (left >= 0), -1.0)
        left = left.scatter(-1, best[..., None], -2.0)
    index = torch.stack(picked, dim=-1)
    return index, masses.gather(-1, index)


class CandidateReader(nn.Module):
    """Turn candidates into vectors: samples of the finest map inside, means of the coarser ones, geometry."""

    def __init__(self, *, map_width: int, width: int) -> None:
        super().__init__()
        inputs = (SAMPLES * SAMPLES + 2) * map_width + GEOMETRY + 2
        self.project = nn.Sequential(nn.Linear(inputs, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, places: PlaceMap, candidates: Candidates) -> Tensor:
        """Return vectors (B, P, K, W)."""
        batch, phrases, count = candidates.boxes.shape[:3]
        boxes = candidates.boxes.flatten(1, 2)  # (B, P * K, 4)
        side = STRIDE * places.fine.shape[-1]
        units = boxes / side
        parts = [
            samples_inside(places.fine, units),
            mean_inside(places.middle, units),
            mean_inside(places.coarse, units),
            box_geometry(units),
            candidates.mass.flatten(1)[..., None],
            candidates.peak.flatten(1)[..., None],
        ]
        vectors = self.project(read_by(self.project, torch.cat([part.float() for part in parts], dim=-1)))
        return vectors.view(batch, phrases, count, vectors.shape[-1])


class BoxRefiner(nn.Module):
    """Compare a phrase's candidates with its query and with each other, once or several times.

    detail: what else is read of each candidate, if anything. dropout: the share of it all that is left out at
    random in training. looks: how many times; each further time what is inside the refined boxes is read, by
    the same weights (as cascaded detectors do with weights of their own: Cai and Vasconcelos, 2018).
    """

    def __init__(
        self,
        *,
        width: int,
        map_width: int,
        looks: int = 1,
        layers: int = 2,
        heads: int = 4,
        detail: CandidateDetail | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.looks = looks
        self.dropout = dropout
        self.detail = detail
        self.reader = CandidateReader(map_width=map_width, width=width)
        self.query = nn.Linear(width, width)
        self.mix = nn.Linear(width, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.score = nn.Linear(width, 1)
        self.none = nn.Linear(width, 1)
        self.refine = nn.Linear(width, 4)
        self.quality = nn.Linear(width, 1)
        if looks > 1:  # tells a further look from the first
            self.again = nn.Parameter(torch.zeros(looks - 1, width))
        self.trust_mass = nn.Parameter(torch.ones(()))
        self.trust_nowhere = nn.Parameter(torch.ones(()))
        # To begin with the refiner says what the place head said.
        for head in (self.score, self.none, self.refine, self.quality):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, hidden: Tensor, places: PlaceMap, candidates: Candidates) -> list[RefinedBoxes]:
        """Return what every look says, the last one last; hidden (B, P, W): the states at the place tokens.

        No gradient flows from a look into the boxes of the one before.
        """
        said = []
        for number in range(self.looks):
            query = self.query(hidden) if number == 0 else self.query(hidden) + self.again[number - 1]
            said.append(self.look(query, places, candidates))
            candidates = replace(candidates, boxes=said[-1].boxes.detach())
        return said

    def look(self, query: Tensor, places: PlaceMap, candidates: Candidates) -> RefinedBoxes:
        """Look once for queries (B, P, W)."""
        batch, phrases, count = candidates.boxes.shape[:3]
        query = query[:, :, None]  # (B, P, 1, W)
        vectors = self.reader(places, candidates)
        if self.detail is not None:
            vectors = vectors + self.detail(places, candidates.boxes)
        vectors = functional.dropout(vectors, self.dropout, self.training)
        vectors = vectors + self.mix(vectors * query)  # (B, P, K, W)
        tokens = torch.cat([query, vectors], dim=2).flatten(0, 1)  # (B * P, 1 + K, W)
        seen = self.norm(self.layers(tokens)).view(batch, phrases, 1 + count, query.shape[-1])
        size = candidates.boxes[..., 2:] - candidates.boxes[..., :2]
        moves = torch.tanh(self.refine(seen[:, :, 1:]).float()) * REACH * torch.cat([size, size], dim=-1)
        return RefinedBoxes(
            scores=self.score(seen[:, :, 1:])[..., 0].float() + self.trust_mass * candidates.mass,
            none=self.none(seen[:, :, 0])[..., 0].float() + self.trust_nowhere * candidates.nowhere,
            boxes=candidates.boxes + moves,
            quality=self.quality(seen[:, :, 1:])[..., 0].float(),
        )

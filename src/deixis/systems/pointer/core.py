"""The parts of a pointer network, and what they do: a place map to choose from, region tokens, a place head.

Nothing here needs ``transformers``, whose import takes most of the time to a first answer: ``PointerCore``
answers by itself, with a decoder in plain torch; ``model.PointerNetwork`` is the same as a model of the
library. See docs/pointer.md for the figure. The network holds tensors only; text, pixels and frames are the
business of ``prompts`` and ``places`` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.language.embedding import FactorisedEmbedding
from deixis.layers.language.llama_body import LlamaBody
from deixis.layers.places.box_refiner import BoxRefiner, choose_candidates, overlap_of
from deixis.layers.places.candidate_detail import CandidateDetail
from deixis.layers.places.place_map import PlaceMap, PlaceMapper
from deixis.layers.regions.region_classifier import RegionClassifier, seen_in
from deixis.layers.regions.region_detail import RegionDetail
from deixis.layers.regions.region_encoder import RegionEncoder
from deixis.layers.regions.region_view import RegionView
from deixis.layers.towers.efficientnet_lite import build_tower
from deixis.systems.pointer.options import PointerOptions
from deixis.text.splicing import splice
from deixis.text.tokenizers.vocabulary import PICTURE, REGION


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


class PictureReader(nn.Module):
    """Read a place map as a small grid of tokens for the decoder."""

    def __init__(self, *, map_width: int, width: int, grid: int, dropped: float = 0.0) -> None:
        super().__init__()
        self.grid = grid
        self.dropped = dropped
        self.project = nn.Linear(2 * map_width, width)
        self.position = nn.Parameter(torch.randn(grid * grid, width) * 0.02)

    def forward(self, places: PlaceMap) -> Tensor:
        """Return picture tokens (B, grid * grid, width)."""
        middle = functional.adaptive_avg_pool2d(places.middle, self.grid)
        coarse = functional.interpolate(
            places.coarse, (self.grid, self.grid), mode="bilinear", align_corners=False
        )
        cells = torch.cat([middle, coarse], dim=1).flatten(2).transpose(1, 2)  # (B, N, 2D)
        return functional.dropout(self.project(cells), self.dropped, self.training) + self.position


class PointerCore(nn.Module):
    """A pointer network that answers; see ``model.PointerNetwork`` for its training and ``generate``."""

    config: PointerOptions

    def __init__(self, config: PointerOptions) -> None:
        super().__init__()
        self.config = config
        self.build(config, lambda: LlamaBody(config.body()))

    def build(self, config: PointerOptions, decoder: Callable[[], nn.Module]) -> None:
        """Make all parts; decoder: makes the layers that read vectors, in their turn."""
        self.tower = build_tower(config.tower)
        self.mapper = PlaceMapper(self.tower.channels, width=config.map_width, side=config.side)
        self.reader = PictureReader(
            map_width=config.map_width,
            width=config.width,
            grid=config.picture_grid,
            dropped=config.dropped,
        )
        self.region_encoder = RegionEncoder(map_width=config.map_width, out_width=config.width)
        self.words = FactorisedEmbedding(
            config.vocab_size, word_width=config.size.word_width, width=config.width
        )
        self.decoder = decoder()
        self.place_head = PlaceHead(width=config.width, map_width=config.map_width)
        if config.region_detail:
            self.region_detail = RegionDetail(
                map_width=config.map_width, head_width=self.tower.channels[3], out_width=config.width
            )
        if config.region_view:
            self.region_view = RegionView(head_width=self.tower.channels[3], out_width=config.width)
        if config.region_namer:
            self.region_namer = RegionClassifier(  # attributes are names in saved files
                head_width=self.tower.channels[3],
                map_width=config.map_width,
                words=config.vocab_size,
                word_width=config.size.word_width,
            )
        if config.candidates:
            detail = None
            if config.candidate_detail:
                detail = CandidateDetail(
                    head_width=self.tower.channels[3],
                    early_width=self.tower.early_channels,
                    width=config.width,
                )
            self.second_look = BoxRefiner(
                width=config.width,
                map_width=config.map_width,
                looks=config.looks,
                detail=detail,
                dropped=config.dropped,
            )

    def encode(self, pixels: Tensor) -> PlaceMap:
        """Turn pixels (B, 3, S, S) in 0..1, letterboxed, into a place map; once for all questions.

        Its ``other`` is the map of the same pixels resized to ``second_side``; not in training.
        """
        places = self.mapped(pixels)
        if self.config.second_side and not self.training:
            places = replace(places, other=self.mapped(resized(pixels, self.config.second_side)))
        return replace(places, picture=pixels) if self.config.region_view else places

    def maps(self, pixels: Tensor) -> PlaceMap:
        """Return the place map of pixels (B, 3, S, S) as it is."""
        places: PlaceMap = self.mapper(self.tower(pixels.contiguous(memory_format=torch.channels_last)))
        return places

    def mapped(self, pixels: Tensor) -> PlaceMap:
        """Return the place map of pixels (B, 3, S, S) with what many phrases need, unless in training."""
        places = self.maps(pixels)
        if self.config.candidates and not self.training:
            return replace(places, overlap=overlap_of(places.boxes))
        return places

    def embed(
        self, input_ids: Tensor, *, picture: Tensor | None = None, regions: Tensor | None = None
    ) -> Tensor:
        """Return embeddings (B, T, W) with picture (B, N, W) and region (K, W) vectors at their tokens."""
        embeds = splice(self.words(input_ids), input_ids, picture, token=PICTURE.id, what="picture")
        return splice(embeds, input_ids, regions, token=REGION.id, what="region")

    def point(self, hidden: Tensor, places: PlaceMap) -> Pointed:
        """Return what hidden states (B, P, W) at place tokens choose from, after the last look."""
        scores = self.place_head(hidden, places.keys)
        if not self.config.candidates:
            boxes = places.boxes[:, None].expand(-1, hidden.shape[1], -1, -1)
            return Pointed(scores.locations, scores.nowhere, boxes)
        candidates = choose_candidates(
            scores.locations,
            scores.nowhere,
            places.boxes,
            count=self.config.candidates,
            overlap=places.overlap,
        )
        look = self.second_look(hidden, places, candidates)[-1]
        chosen = Pointed(look.scores, look.none, look.boxes, look.quality)
        if places.other is None:
            return chosen
        scale = places.fine.shape[-1] / places.other.fine.shape[-1]
        return chosen.beside(self.point(hidden, places.other), scale=scale)

    def encode_regions(self, places: PlaceMap, masks: Tensor, geometry: Tensor, present: Tensor) -> Tensor:
        """Return the vectors (K, W) of the regions marked ``present`` (B, R), picture by picture."""
        vectors = self.region_encoder(places, masks, geometry)
        if self.config.region_detail:
            vectors = vectors + self.region_detail(places, masks, geometry)
        vectors = vectors[present]
        if self.config.region_view:
            vectors = vectors + self.region_view(self.tower, places, masks, geometry, present)
        return functional.dropout(vectors, self.config.dropped, self.training)

    def name_regions(self, places: PlaceMap, masks: Tensor, geometry: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ids (N,) of word pieces that begin names, and log-probabilities (B, R, N) of regions.

        masks (B, R, H, W) and geometry (B, R, G): those of RegionEncoder, in the frame of the square picture.
        """
        pieces = self.region_namer.pieces
        logits = self.region_namer(seen_in(places, masks, geometry), self.words.table.weight)
        return pieces, logits[..., pieces].float().log_softmax(dim=-1)


def resized(pixels: Tensor, side: int) -> Tensor:
    """Return square pictures (B, 3, S, S) with ``side`` pixels a side, values still in 0..1."""
    with torch.autocast(pixels.device.type, enabled=False):
        wide = functional.interpolate(pixels.float(), (side, side), mode="bicubic", antialias=True)
    return wide.clamp(0, 1).to(pixels.dtype)

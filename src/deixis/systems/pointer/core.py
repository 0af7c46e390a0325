"""The parts of a pointer network, and what they do: a place map to choose from, region tokens, a place head.

Nothing here needs ``transformers``, whose import takes most of the time to a first answer: ``PointerCore``
answers by itself, with a decoder in plain torch; ``model.PointerNetwork`` is the same as a model of the
library. See docs/pointer.md for the figure. The network holds tensors only; text, pixels and frames are the
business of ``prompts`` and ``places`` beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.language.embedding import FactorisedEmbedding
from deixis.layers.language.llama_body import LlamaBody
from deixis.layers.places.box_overlap import overlap_of
from deixis.layers.places.box_refiner import BoxRefiner, choose_candidates
from deixis.layers.places.candidate_detail import CandidateDetail
from deixis.layers.places.place_map import PlaceMap, PlaceMapper
from deixis.layers.regions.region_classifier import RegionClassifier, seen_in
from deixis.layers.regions.region_detail import RegionDetail
from deixis.layers.regions.region_encoder import RegionEncoder
from deixis.layers.regions.region_view import RegionView
from deixis.layers.towers.efficientnet_lite import build_tower
from deixis.systems.pointer.options import PointerOptions
from deixis.systems.pointer.place_head import PlaceHead, Pointed
from deixis.text.packing import packed_attention
from deixis.text.splicing import splice
from deixis.text.tokenizers.word_pieces.vocabulary import PICTURE, REGION


class PictureReader(nn.Module):
    """Read a place map as a small grid of tokens for the decoder."""

    def __init__(self, *, map_width: int, width: int, grid: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.grid = grid
        self.dropout = dropout
        self.project = nn.Linear(2 * map_width, width)
        self.position = nn.Parameter(torch.randn(grid * grid, width) * 0.02)

    def forward(self, places: PlaceMap) -> Tensor:
        """Return picture tokens (B, grid * grid, width)."""
        middle = functional.adaptive_avg_pool2d(places.middle, self.grid)
        coarse = functional.interpolate(
            places.coarse, (self.grid, self.grid), mode="bilinear", align_corners=False
        )
        cells = torch.cat([middle, coarse], dim=1).flatten(2).transpose(1, 2)  # (B, N, 2D)
        return functional.dropout(self.project(cells), self.dropout, self.training) + self.position


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
            dropout=config.dropped,
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
                dropout=config.dropped,
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

    def decode(self, embeds: Tensor, mask: Tensor, **more: Any) -> Any:
        """Run the decoder over vectors (B, T, W) with an additive mask (B, 1, T, S).

        more: position_ids, use_cache and the cache. The output's ``last_hidden_state`` is (B, T, W).
        """
        return self.decoder(inputs_embeds=embeds, attention_mask=mask, **more)

    def decode_rows(self, embeds: Tensor, segments: Tensor, *, position_ids: Tensor) -> Tensor:
        """Return the hidden states (B, T, W) of whole rows: a picture, and dialogues behind it.

        embeds (B, T, W), see ``embed``; segments (B, T): which dialogue each position belongs to.
        """
        mask = packed_attention(segments, dtype=embeds.dtype)
        hidden: Tensor = self.decode(
            embeds, mask, position_ids=position_ids, use_cache=False
        ).last_hidden_state
        return hidden

    def unfitted_parts(self) -> list[str]:
        """Return in words what is as it was made, since no pictures ever chose it: see ``fitting.stage``."""
        parts = []
        if not self.config.place_rule:
            parts.append("the rule by which places are read (defaults; scores are not calibrated)")
        if self.config.region_namer and not len(self.region_namer.pieces):
            parts.append("the region classifier (the decoder names regions alone)")
        return parts

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

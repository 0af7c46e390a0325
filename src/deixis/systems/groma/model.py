"""The Groma network (Ma et al., 2024): places are found first, and words then speak of them by tokens.

Box form everywhere: cx cy w h as fractions of the sides of the square that the network sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deixis.errors import BadPicture, UsageError
from deixis.layers.language.split_vocabulary import split_vocabulary
from deixis.layers.projectors import build_projector
from deixis.layers.region_levels.region_encoder import LevelRegionEncoder
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.detector.fields import proposer_size, region_encoder_size
from deixis.systems.groma.detector.perception import Perceiver, layers_of
from deixis.systems.groma.detector.selection import (
    ORDERS,
    Order,
    Selected,
    Unmatched,
    check_count,
    select,
)
from deixis.systems.groma.placeholders import Chosen, Grown, grown, padded_rows
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.splicing import Merged


@dataclass(frozen=True)
class PicturePerception:
    """All that is known of one picture before anything is asked.

    tokens (N, D): what the decoder reads. levels: fused maps (C, h_l, w_l) of the region encoder. boxes
    (Q, 4), scores (Q,): proposals. masks (Q, h, w): of proposers that make them.
    """

    tokens: Tensor
    levels: tuple[Tensor, ...]
    boxes: Tensor
    scores: Tensor
    masks: Tensor | None = None


@dataclass(frozen=True)
class GivenBoxes:
    """Boxes (n_i, 4) of each row: what questions point at, and what answers speak of in training.

    order: how the places of a prompt are ordered; None is as the network's settings say. unmatched: which
    place stands for a box that overlaps none. shares (n_i, s, s): of what questions point at, how much of
    each bin of a box belongs to it; None: all of it does, see ``GromaNetwork.mask_side``.
    """

    refer: Sequence[Tensor]
    ground: Sequence[Tensor]
    shares: Sequence[Tensor] | None = None
    order: Order | None = None
    unmatched: Unmatched = "nearest"

    def __len__(self) -> int:
        return sum(map(len, self.refer))


class GromaNetwork(SplicedNetwork):
    """The whole network; ``forward`` and ``generate`` are the base's.

    input_ids hold Groma's marks, one picture and one list of regions a row (``placeholders``); ``regions``
    are ``GivenBoxes``. pixels: square pictures, normalised (B, 3, S, S). Perception runs without gradient and
    without dropout, whatever the rest does.
    """

    config: GromaConfig
    config_class = GromaConfig

    def __init__(self, config: GromaConfig) -> None:
        super().__init__(config)
        split_vocabulary(self.language, extra=config.added_tokens)
        self.perceiver = Perceiver(
            config.tower,
            proposer_size(config.proposer),
            layers=layers_of(
                proposer=config.proposer_layers, regions=config.region_layers, picture=config.picture_layer
            ),
            interpolation=config.tower_interpolation,
        )
        channels, width = self.perceiver.channels, config.hidden_size
        size = region_encoder_size(config.region_encoder)
        if size.levels != len(config.region_layers):
            raise UsageError(
                f"the region encoder has {size.levels} levels, but region_layers names "
                f"{len(config.region_layers)} states; expected one each"
            )
        merged = 4 if config.token_merge else 1
        self.bridge = build_projector(config.projector, inputs=channels * merged, outputs=width)
        self.region_encoder = LevelRegionEncoder(channels, width, size)
        self.rules, self.tokens = config.rules(), config.tokens()
        self.post_init()
        self.set_generation()

    def train(self, mode: bool = True) -> GromaNetwork:
        """Switch to training or answering; perception never drops anything out."""
        super().train(mode)
        if hasattr(self, "perceiver"):
            self.perceiver.eval()
        return self

    def least_tokens(self) -> int:
        """Return how many tokens a picture becomes, with one place."""
        return self.picture_tokens() + 2

    def picture_tokens(self) -> int:
        """Return how many tokens a picture becomes; UsageError where cells can't be merged."""
        cells = self.perceiver.tower.checked_cells(self.config.side)
        if self.config.token_merge and cells % 2:
            raise UsageError(
                f"a picture of side {self.config.side} has {cells} cells a row, an odd number; token_merge "
                "makes one token of 2 x 2 cells: choose another side, or token_merge false"
            )
        return (cells // 2) ** 2 if self.config.token_merge else cells**2

    def perceive(self, pixels: Tensor) -> list[PicturePerception]:
        """Return what is known of square pictures (B, 3, S, S), normalised, before anything is asked."""
        self.picture_tokens()
        with torch.no_grad():
            states = self.perceiver.states(pixels)
            proposals = self.perceiver.propose(states)
            scores = proposals.scores()
        tokens = self.bridge(self.merged_cells(states.picture.to(self.dtype)))  # (B, N, D)
        levels = self.region_encoder.fuse([state.to(self.dtype) for state in states.regions])
        masks = proposals.masks
        return [
            PicturePerception(
                tokens=tokens[number],
                levels=tuple(level[number] for level in levels),
                boxes=proposals.boxes[number].float(),
                scores=scores[number],
                masks=None if masks is None else masks[number],
            )
            for number in range(len(pixels))
        ]

    def merged_cells(self, state: Tensor) -> Tensor:
        """Return what becomes picture tokens (B, N, C or 4 C) of a state (B, n * n, C)."""
        return merged_cells(state) if self.config.token_merge else state

    @property
    def mask_side(self) -> int | None:
        """Into how many bins along a side a mask is divided; None where masks are pooled by their boxes."""
        size = self.region_encoder.size
        return size.roi_side if size.pools_masks else None

    def region_vectors(
        self,
        pictures: Sequence[PicturePerception],
        boxes: Sequence[Tensor],
        shares: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Return the vectors (R, D) of boxes (K_i, 4) in pictures, one picture behind the other.

        shares (K_i, s, s): how much of each bin of a box belongs to the region; None: all of it does.
        """
        count = len(pictures[0].levels) if pictures else 0
        levels = [torch.stack([one.levels[number] for one in pictures]) for number in range(count)]
        given = [None] * len(boxes) if shares is None else shares
        if all(one is None for one in given):
            whole = None
        else:
            side = self.region_encoder.size.roi_side
            whole = torch.cat(
                [
                    own.new_ones(len(own), side, side) if one is None else one
                    for own, one in zip(boxes, given, strict=True)
                ]
            )
        vectors: Tensor = self.region_encoder(levels, boxes, whole)
        return vectors

    def select(
        self,
        picture: PicturePerception,
        *,
        refer: Tensor | None = None,
        ground: Tensor | None = None,
        order: Order | None = None,
        unmatched: Unmatched = "nearest",
        shares: Tensor | None = None,
    ) -> Selected:
        """Return the places of a prompt about a picture; BadRegion for more user boxes than places.

        shares (n, s, s): of user boxes, see ``GivenBoxes``.
        """
        check_count(refer, self.rules)
        chosen = ORDERS[self.config.region_order] if order is None else order
        return select(
            picture.boxes,
            picture.scores,
            rules=self.rules,
            refer=refer,
            ground=ground,
            order=chosen,
            unmatched=unmatched,
            shares=None if shares is None or bool((shares == 1).all()) else shares,
        )

    def grown_row(self, ids: Tensor, labels: Tensor | None, selected: Selected, *, row: int) -> Grown:
        """Return a row of ids with all its places."""
        return grown(
            ids.tolist(),
            Chosen(len(selected.boxes), selected.refer, selected.ground),
            tokens=self.tokens,
            picture_tokens=self.picture_tokens(),
            labels=None if labels is None else labels.tolist(),
            name=f"row {row} of the batch",
        )

    def read(
        self,
        input_ids: Tensor,
        *,
        pixel_values: Any = None,
        regions: Any = None,
        picture_counts: Sequence[int] | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        padding: Any = "right",
    ) -> Merged:
        """Perceive each row's picture, choose its places, and merge all into its text.

        input_ids (B, T) with Groma's marks, filled up with the padding token; pixel_values (B, 3, S, S), one
        picture a row; regions: ``GivenBoxes``, by default none.
        """
        if pixel_values is None or len(pixel_values) != len(input_ids):
            came = "none" if pixel_values is None else len(pixel_values)
            raise BadPicture(f"{came} pictures came with {len(input_ids)} rows of text; expected one each")
        none = [input_ids.new_zeros(0, 4, dtype=torch.float32)] * len(input_ids)
        given = GivenBoxes(none, none) if regions is None else regions
        pictures = self.perceive(pixel_values)
        every = [None] * len(input_ids) if given.shares is None else given.shares
        chosen = [
            self.select(
                picture,
                refer=refer,
                ground=ground,
                order=given.order,
                unmatched=given.unmatched,
                shares=shares,
            )
            for picture, refer, ground, shares in zip(pictures, given.refer, given.ground, every, strict=True)
        ]
        rows = []
        for number, (ids, own) in enumerate(zip(input_ids, chosen, strict=True)):
            kept = slice(None) if attention_mask is None else attention_mask[number].bool()
            learnt = None if labels is None else labels[number][kept]
            rows.append(self.grown_row(ids[kept], learnt, own, row=number))
        vectors = self.region_vectors(pictures, [own.boxes for own in chosen], [own.shares for own in chosen])
        split = vectors.split([len(own.boxes) for own in chosen])
        return self.embed_rows(
            rows,
            pictures=[picture.tokens for picture in pictures],
            places=list(split),
            learnt=labels is not None,
            padding=padding,
        )

    def embed_rows(
        self,
        rows: Sequence[Grown],
        *,
        pictures: Sequence[Tensor],
        places: Sequence[Tensor],
        learnt: bool = False,
        padding: Any = "right",
    ) -> Merged:
        """Return what the decoder reads of rows with their pictures' tokens (N, D) and places (K_i, D)."""
        ids, labels = padded_rows(rows, tokens=self.tokens)
        input_ids = torch.tensor(ids, device=self.device)
        features = [own[list(row.features)] for own, row in zip(places, rows, strict=True)]
        return self.embed(
            input_ids,
            slots={
                self.tokens.image: list(pictures),
                self.tokens.region: list(places),
                self.tokens.refer_feat: features,
            },
            attention_mask=(input_ids != self.tokens.pad).long(),
            labels=torch.tensor(labels, device=self.device) if learnt else None,
            padding=padding,
        )

    def unused_modules(self, pixels: Any, regions: Any) -> Iterable[nn.Module | None]:
        """Return no module: every row has a picture and places."""
        return ()

    def resize_token_embeddings(self, *unused: Any, **ignored: Any) -> nn.Embedding:
        """Raise UsageError: the vocabulary is made for the marks that it has."""
        raise UsageError("Groma's vocabulary is two tables of fixed sizes; build a network of another size")


def merged_cells(state: Tensor) -> Tensor:
    """Return squares of 2 x 2 cells (B, n * n / 4, 4 C) of a state (B, n * n, C), their channels in a row.

    First come the two cells of the left column, the upper one first, then those of the right one.

    >>> merged_cells(torch.arange(4.0).reshape(1, 4, 1)).tolist()
    [[[0.0, 2.0, 1.0, 3.0]]]
    """
    cells = round(state.shape[1] ** 0.5)
    grid = state.unflatten(1, (cells, cells))  # (B, n, n, C)
    parts = [grid[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
    return torch.cat(parts, dim=-1).flatten(1, 2)

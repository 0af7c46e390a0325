"""The Florence-VL network (Chen et al., 2024): one encoder, asked three ways, between the words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn

from deixis.errors import UsageError
from deixis.layers.fusion.depth_breadth import DepthBreadthFusion
from deixis.layers.picture_features import PictureFeatures
from deixis.layers.projectors import build_projector
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.towers.building import build_feature_tower
from deixis.layers.towers.feature_tower import FeatureTower
from deixis.layers.towers.florence_davit import DavitTower
from deixis.layers.towers.florence_encoder import PromptedEncoder
from deixis.layers.towers.florence_prompts import prompt_ids
from deixis.systems.florence_vl.asked_words import rows_asked
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.splicing import Merged, Side


class FlorenceVlNetwork(SplicedNetwork):
    """The whole network; ``forward`` and ``generate`` are the base's.

    pixels: square pictures, normalised (B, 3, S, S).
    """

    config: FlorenceVlConfig
    config_class = FlorenceVlConfig

    def __init__(self, config: FlorenceVlConfig) -> None:
        super().__init__(config)
        self.tower = tower_of(config)
        widths = self.tower.widths if isinstance(self.tower, DavitTower) else (self.tower.width,)
        self.widths = list(widths)
        self.encoder = encoder_of(config, inputs=widths[-1])
        width = widths[-1] if self.encoder is None else self.encoder.width
        self.depths = nn.ModuleList(
            nn.Sequential(nn.Linear(one, width, bias=False), nn.LayerNorm(width)) for one in widths[:-1]
        )
        self.fusion = DepthBreadthFusion(
            width=width,
            depths=len(widths),
            breadths=0 if self.encoder is None else len(config.prompt_order),
            integration=config.integration,
            fused=config.fused,
            gating=config.gate,
            words=config.hidden_size,
        )
        self.projector = build_projector(
            config.projector, inputs=self.fusion.width, outputs=config.hidden_size
        )
        self.question_end: tuple[int, ...] = ()  # for a gate that reads the question, see ``asked_words``
        if self.encoder is not None:
            self.encoder.check_cells(self.tower.cells(config.side))
        self.post_init()
        self.set_generation()

    @property
    def longest(self) -> int | None:
        """The length that rows are cut to after their pictures have been put in."""
        return self.config.max_tokens

    @property
    def seeing(self) -> list[nn.Module]:
        """The parts that ``tower_training`` is about."""
        return [self.tower] if self.encoder is None else [self.tower, self.encoder]

    def least_tokens(self) -> int:
        """Return how many tokens a picture becomes."""
        cells = self.tower.cells(self.config.side) ** 2
        pooled = self.encoder is not None and not self.config.drop_pooled_token
        return self.fusion.length(cells + pooled)

    def features(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return depths and breadths (B, N, D) of square pictures (B, 3, S, S), normalised.

        The projected map of the last stage is the first; those of other stages follow, then the states under
        each prompt. The pooled token comes first in each, unless it is dropped.
        """
        with self.gradients():
            *others, last = self.tower(pixels).split(self.widths, dim=-1)  # each (B, N, C)
            found = (last,) if self.encoder is None else self.encoder(last)
        more = [depth(one.to(self.dtype)) for depth, one in zip(self.depths, others, strict=True)]
        if self.encoder is not None:
            more = [torch.cat([one.mean(dim=1, keepdim=True), one], dim=1) for one in more]  # (B, 1 + N, D)
        features = (found[0], *more, *found[1:])
        if self.encoder is not None and self.config.drop_pooled_token:
            features = tuple(one[:, 1:] for one in features)
        return tuple(one.to(self.dtype) for one in features)

    @contextmanager
    def gradients(self) -> Iterator[None]:
        """Let tower and encoder have gradients only where the configuration trains them."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.config.tower_training == "trained"):
            yield

    def train(self, mode: bool = True) -> Self:
        """Switch dropout, which a frozen tower never has."""
        super().train(mode)
        if self.config.tower_training == "frozen":
            for part in self.seeing:
                part.eval()
        return self

    def encode_pictures(self, pixels: Tensor) -> PictureFeatures:
        """Encode square pictures (B, 3, S, S), normalised, each to N tokens; there are no region maps.

        Where the gate reads the question, features before the projector stand in the place of tokens.
        """
        features = self.features(pixels)
        if self.fusion.reads_question:
            tokens = self.fusion.laid(features)  # (B, N, …): weighed and projected by ``embed``
        else:
            tokens = self.projector(self.fusion(features))  # (B, N, D)
        return PictureFeatures(tokens=tuple(tokens), maps=tuple(token[:0] for token in tokens))

    def embed(
        self,
        input_ids: Tensor,
        *,
        pictures: Sequence[Sequence[Tensor] | Tensor | None] | None = None,
        slots: Mapping[int, Sequence[Tensor | None]] | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        padding: Side = "right",
    ) -> Merged:
        """Return what the decoder reads; a gate that reads the question weighs its pictures first."""
        if pictures is not None and self.fusion.reads_question:
            asked = rows_asked(input_ids, attention_mask, labels, end=self.question_end)
            words = [self.get_input_embeddings()(one) for one in asked]
            pictures = [
                None if own is None else self.weighed(own, said)
                for own, said in zip(pictures, words, strict=True)
            ]
        return super().embed(
            input_ids,
            pictures=pictures,
            slots=slots,
            attention_mask=attention_mask,
            labels=labels,
            padding=padding,
        )

    def weighed(self, pictures: Sequence[Tensor] | Tensor, words: Tensor) -> list[Tensor]:
        """Return a row's pictures, weighed by the words of its question and projected."""
        own = [pictures] if isinstance(pictures, Tensor) else list(pictures)
        return [self.projector(self.fusion.weighed(one[None], words))[0] for one in own]

    def unused_modules(self, pixels: Any, regions: DrawnRegions | None) -> Iterable[nn.Module | None]:
        """Return the encoders that a batch with these inputs doesn't use."""
        if pixels is None:
            yield from (*self.seeing, self.depths, self.fusion, self.projector)


def tower_of(config: FlorenceVlConfig) -> FeatureTower:
    """Return the tower; UsageError where stages are asked of one that isn't DaViT."""
    settings = dict(config.tower)
    if settings.pop("kind", None) == "davit":
        return DavitTower(settings, stages=config.davit_stages)
    if config.davit_stages != [-1]:
        raise UsageError(
            f"davit_stages is {config.davit_stages}, but the tower is of kind {config.tower.get('kind')!r}; "
            "expected [-1]"
        )
    return build_feature_tower(config.tower)


def encoder_of(config: FlorenceVlConfig, *, inputs: int) -> PromptedEncoder | None:
    """Return the encoder, if there is one."""
    if config.encoder is None:
        return None
    return PromptedEncoder(
        config.encoder,
        inputs=inputs,
        prompts=prompt_ids(config.prompt_order),
        mask_padding=config.mask_prompt_padding,
    )

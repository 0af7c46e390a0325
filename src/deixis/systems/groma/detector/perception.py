"""Groma's perception: a vision encoder, and a proposer that looks at the mean of its last states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deixis.errors import UsageError
from deixis.layers.proposals.proposing import Proposals
from deixis.layers.proposals.region_proposer import Detection, ProposerSize, RegionProposer
from deixis.layers.towers.building import build_feature_tower
from deixis.layers.towers.feature_tower import Interpolation


@dataclass(frozen=True)
class PerceivedLayers:
    """Which hidden states each part reads, counted as in ``feature_tower.blocks_before``.

    proposer: those whose mean the proposer looks at. regions: those of the region encoder, from the finest
    level on. picture: the one that picture tokens are made of. A tower without hidden states gives all of
    them its only map.
    """

    proposer: tuple[int, ...] = (-4, -3, -2, -1)
    regions: tuple[int, ...] = (-3, -2, -1)
    picture: int = -1

    @property
    def every(self) -> tuple[int, ...]:
        """All of them, each once."""
        return tuple(sorted({*self.proposer, *self.regions, self.picture}))


@dataclass(frozen=True)
class States:
    """What the vision encoder says of pictures: states (B, n * n, C), row by row, without the class token."""

    by_layer: Mapping[int, Tensor]
    layers: PerceivedLayers

    @property
    def picture(self) -> Tensor:
        """The state that picture tokens are made of."""
        return self.by_layer[self.layers.picture]

    @property
    def regions(self) -> list[Tensor]:
        """The states that the region encoder reads."""
        return [self.by_layer[layer] for layer in self.layers.regions]

    @property
    def proposer(self) -> Tensor:
        """The map (B, C, n, n) that the proposer looks at."""
        mean = torch.stack([self.by_layer[layer] for layer in self.layers.proposer]).mean(dim=0)
        cells = round(mean.shape[1] ** 0.5)
        return mean.transpose(1, 2).unflatten(-1, (cells, cells))


class Perceiver(nn.Module):
    """Pictures in, states and proposals out. Nothing in it knows of words.

    tower: settings of the vision encoder. proposer: its sizes; another ``Proposer`` may be put in its place.
    """

    def __init__(
        self,
        tower: Mapping[str, Any],
        proposer: ProposerSize,
        *,
        layers: PerceivedLayers,
        interpolation: Interpolation = "scale_factor",
    ) -> None:
        super().__init__()
        self.layers = layers
        self.tower = build_feature_tower(tower, select_layer=layers.every, interpolation=interpolation)
        self.channels = self.tower.width // len(getattr(self.tower, "selected", (0,)))
        self.proposer: nn.Module = RegionProposer(self.channels, proposer)

    def states(self, pixels: Tensor) -> States:
        """Return what the vision encoder says of normalised square pictures (B, 3, S, S)."""
        found = self.tower.states(pixels)
        if len(found) == 1:
            found = found * len(self.layers.every)
        return States(dict(zip(self.layers.every, found, strict=True)), self.layers)

    def propose(self, states: States) -> Proposals:
        """Return the proposals for pictures."""
        proposals: Proposals = self.proposer(states.proposer)
        return proposals

    def detect(self, states: States) -> Detection:
        """Return all that the proposer says of pictures; UsageError for one that can't be trained here."""
        if not isinstance(self.proposer, RegionProposer):
            raise UsageError(f"a proposer of type {type(self.proposer).__name__} can't be trained here")
        return self.proposer.detect(states.proposer)


def layers_of(*, proposer: Sequence[int], regions: Sequence[int], picture: int) -> PerceivedLayers:
    """Return layers as configurations hold them; UsageError for an empty list."""
    if not proposer or not regions:
        raise UsageError("proposer_layers and region_layers name no hidden state; expected at least one each")
    return PerceivedLayers(tuple(proposer), tuple(regions), picture)

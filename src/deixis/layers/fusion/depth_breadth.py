"""Depth-breadth fusion as one part of a network: which features, weighed how, joined how.

"Depth" is the tower's own features, "breadth" those of an encoder under prompts (Chen et al., 2024, section
3). Which features are joined and how is the subject of the paper's tables 1, 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from deixis.errors import UsageError
from deixis.layers.fusion.gate import FeatureGate
from deixis.layers.fusion.integration import Integration, integrate, integrated_length, integrated_width

Fused = Literal["all", "breadth", "depth"]
Gating = Literal["none", "learned", "question"]
FUSED: tuple[Fused, ...] = ("all", "breadth", "depth")
GATINGS: tuple[Gating, ...] = ("none", "learned", "question")


class DepthBreadthFusion(nn.Module):
    """Features (B, N, D) of the same cells become one (B, N', W).

    depths, breadths: how many features there are of each sort, depths first. fused: which of them are read.
    gating: whether each has a learnt factor, and whether the question decides about it. words: the width of
    the question's words.
    """

    def __init__(
        self,
        *,
        width: int,
        depths: int,
        breadths: int,
        integration: Integration = "channel",
        fused: Fused = "all",
        gating: Gating = "none",
        words: int = 0,
    ) -> None:
        super().__init__()
        first, last = {
            "all": (0, depths + breadths),
            "breadth": (depths, depths + breadths),
            "depth": (0, depths),
        }[fused]
        if first == last:
            raise UsageError(
                f"fused is {fused!r}, but there are no such features; name prompts for the encoder"
            )
        self.read, self.count = slice(first, last), last - first
        self.integration: Integration = integration
        self.width = integrated_width(integration, width=width, count=self.count)
        self.gate: FeatureGate | None = None
        if gating != "none":
            self.gate = FeatureGate(self.count, question=words if gating == "question" else None)

    @property
    def reads_question(self) -> bool:
        """Whether what comes out depends on the question."""
        return self.gate is not None and self.gate.reads_question

    def length(self, tokens: int) -> int:
        """Return how many tokens come out where each feature has so many."""
        return integrated_length(self.integration, tokens=tokens, count=self.count)

    def laid(self, features: Sequence[Tensor]) -> Tensor:
        """Return what is read of features (B, N, D) as one (B, N', F * D or D), to be weighed later.

        As many tokens as ``forward`` makes; see ``weighed``.
        """
        read = list(features)[self.read]
        return torch.cat(read, dim=1 if self.integration == "token" else -1)

    def weighed(self, laid: Tensor, words: Tensor) -> Tensor:
        """Return laid-out features (B, N', …) as ``forward`` makes them. words (T, D): the question's."""
        read = laid.chunk(self.count, dim=1 if self.integration == "token" else -1)
        assert self.gate is not None
        return integrate(self.gate(read, words), self.integration)

    def forward(self, features: Sequence[Tensor], words: Tensor | None = None) -> Tensor:
        """Return all depths and breadths (B, N, D) as one (B, N', W). words (T, D): the question's."""
        read: Sequence[Tensor] = list(features)[self.read]
        if self.gate is not None:
            read = self.gate(read, words)
        return integrate(read, self.integration)

"""A vocabulary in two parts: the words a decoder came with, and tokens added later, in layers of their own.

So the added ones can learn while the others stand still (Groma's second stage), and published files that keep
them apart stay as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class SplitEmbedding(nn.Module):
    """Vectors of the first ``len(base)`` ids from one table, of those behind them from another."""

    def __init__(self, base: nn.Embedding, *, extra: int) -> None:
        super().__init__()
        self.base = base
        self.extra = nn.Embedding(extra, base.embedding_dim, dtype=base.weight.dtype)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Let the added tokens begin in the middle of the others."""
        self.extra.weight.copy_(self.base.weight.mean(dim=0).expand_as(self.extra.weight))

    @property
    def weight(self) -> Tensor:
        """All vectors (V, D) as one table; a copy."""
        return torch.cat([self.base.weight, self.extra.weight])

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors (…, D) of ids (…)."""
        first = self.base.num_embeddings
        own = functional.embedding(ids.clamp(max=first - 1), self.base.weight)
        added = functional.embedding((ids - first).clamp(min=0), self.extra.weight)
        return torch.where((ids >= first)[..., None], added, own)


class SplitHead(nn.Module):
    """Scores of the first words by one matrix, of the added tokens by another."""

    def __init__(self, base: nn.Linear, *, extra: int) -> None:
        super().__init__()
        self.base = base
        self.extra = nn.Linear(base.in_features, extra, bias=False, dtype=base.weight.dtype)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Let the added tokens begin as likely as an average word."""
        self.extra.weight.copy_(self.base.weight.mean(dim=0).expand_as(self.extra.weight))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits (…, V) of hidden states (…, D)."""
        return torch.cat([self.base(hidden), self.extra(hidden)], dim=-1)


def split_vocabulary(decoder: Any, *, extra: int) -> None:
    """Give a decoder of ``transformers`` so many further tokens, in layers of their own.

    ValueError for a decoder whose head is its word table.
    """
    if decoder.config.tie_word_embeddings:
        raise ValueError("the decoder's head is its word table; expected two matrices (tie_word_embeddings)")
    decoder.model.embed_tokens = SplitEmbedding(decoder.model.embed_tokens, extra=extra)
    decoder.lm_head = SplitHead(decoder.lm_head, extra=extra)

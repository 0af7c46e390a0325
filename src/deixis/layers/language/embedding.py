"""Word vectors kept at the width they were learnt at, mapped into and out of a decoder of another width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SPREAD = 0.3  # standard deviation of a token's vector in the decoder: attention can still move it


class FactorisedEmbedding(nn.Module):
    """A tied vocabulary: one table (V, E) for reading and writing, linear maps E -> D and D -> E.

    The table's entries are of size 1 on average; whoever fills it with vectors learnt elsewhere scales them
    to that.
    """

    def __init__(self, vocabulary: int, *, word_width: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, word_width)
        self.into = nn.Linear(word_width, width)
        self.out_of = nn.Linear(width, word_width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.normal_(self.into.weight, std=SPREAD * word_width**-0.5)
        nn.init.zeros_(self.into.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the decoder's input (…, D) of token ids (…)."""
        return self.into(self.table(ids))

    def grown(self, size: int) -> FactorisedEmbedding:
        """Return an embedding of ``size`` words that begins with these; further rows are random."""
        larger = FactorisedEmbedding(size, word_width=self.table.embedding_dim, width=self.into.out_features)
        own = self.state_dict()
        with torch.no_grad():
            for name, tensor in larger.state_dict().items():
                if name in ("table.weight", "bias"):
                    tensor[: len(own[name])] = own[name]
                else:
                    tensor.copy_(own[name])
        return larger

    def logits(self, hidden: Tensor) -> Tensor:
        """Return scores (…, V) over the vocabulary of hidden states (…, D)."""
        scores: Tensor = self.out_of(hidden) @ self.table.weight.T
        if not torch.is_grad_enabled() and scores.dtype == self.bias.dtype:  # the same, in the same memory
            return scores.mul_(self.table.embedding_dim**-0.5).add_(self.bias)
        return scores * self.table.embedding_dim**-0.5 + self.bias

"""How much each feature counts: a learnt weight, or one that the question decides.

Not in the published models. Their paper ends with weights that adapt to the task as future work (Chen et al.,
2024, section 6); here a gate may read the question. Untrained gates are 1: features are as without.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FeatureGate(nn.Module):
    """A factor between 0 and 2 for each of ``features`` features.

    question: the width of the words that the factors may depend on; None: they are the same for all.
    """

    def __init__(self, features: int, *, question: int | None = None) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(features))
        self.reads_question = question is not None
        if question is not None:
            self.weight = nn.Parameter(torch.zeros(features, question))

    def factors(self, words: Tensor | None = None) -> Tensor:
        """Return the factors (F,). words (T, D): the question's, for a gate that reads it."""
        value: Tensor = self.bias
        if self.reads_question:
            if words is None:
                raise ValueError("this gate reads the question; give its words")
            if len(words):
                value = value + self.weight @ words.mean(dim=0).to(self.weight.dtype)
        return 2 * torch.sigmoid(value)

    def forward(self, features: Sequence[Tensor], words: Tensor | None = None) -> list[Tensor]:
        """Return features, F of any shape, each multiplied by its factor."""
        return [
            one * factor.to(one.dtype)
            for one, factor in zip(features, self.factors(words).unbind(), strict=True)
        ]

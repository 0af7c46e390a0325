"""How well vectors of pictures and of their texts agree: Florence-VL's alignment loss (paper, section 4).

Of each pair the vision encoder's tokens go through a trainable projection; the mean of its outputs and the
mean of the language model's last hidden states are made unit length. The loss is the cross entropy of finding
each picture's own text among those of the batch, by their products, without a temperature and in one
direction only. Unit vectors without a temperature leave a floor that no projection can pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from deixis.errors import UsageError


@dataclass(frozen=True)
class Alignment:
    """A batch of pairs compared: pictures, texts (N, D) of unit length, their products (N, N), and the loss.

    similarity: row i holds the products of picture i with every text. total, mean: the loss () as the sum
    over rows, as the paper writes it, and as their mean, as it must have been plotted.
    """

    pictures: Tensor
    texts: Tensor
    similarity: Tensor
    total: Tensor

    @property
    def mean(self) -> Tensor:
        """The loss () of a row."""
        return self.total / len(self.similarity)


def unit_mean(tokens: Sequence[Tensor]) -> Tensor:
    """Return the mean of each item's vectors (s_n, D), made unit length, as (N, D).

    UsageError for an item without vectors, whose mean would be no number.
    """
    if not tokens or any(not len(one) for one in tokens):
        raise UsageError("an item without a single vector has no mean; expected at least one vector of each")
    return functional.normalize(torch.stack([one.mean(dim=0) for one in tokens]), dim=-1)


def align(pictures: Tensor, texts: Tensor) -> Alignment:
    """Return how unit vectors of pictures and texts (N, D) agree; row n of both is pair n."""
    if pictures.shape != texts.shape or pictures.ndim != 2:
        raise UsageError(
            f"vectors of pictures are {list(pictures.shape)}, of texts {list(texts.shape)}; expected as many "
            "of each, equally wide"
        )
    similarity = pictures @ texts.T  # (N, N)
    own = torch.arange(len(similarity), device=similarity.device)
    return Alignment(pictures, texts, similarity, functional.cross_entropy(similarity, own, reduction="sum"))


def lowest_loss(pairs: int) -> float:
    """Return the least mean loss of a batch of ``pairs``: own texts at product 1, all others at -1.

    No set of more than two vectors has all products at -1, so what can be reached lies above it.

    >>> round(lowest_loss(128), 2), round(lowest_loss(64), 2)
    (2.9, 2.25)
    """
    return math.log(math.e + (pairs - 1) / math.e) - 1


def chance_loss(pairs: int) -> float:
    """Return the mean loss of a batch of ``pairs`` where all products are equal.

    >>> round(chance_loss(128), 2)
    4.85
    """
    return math.log(pairs)

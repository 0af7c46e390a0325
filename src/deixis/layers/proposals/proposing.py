"""What a proposer promises: boxes, how sure each kind of source is of them, and perhaps masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

Source = Literal["coco", "sa1b"]
SOURCES: tuple[Source, ...] = ("coco", "sa1b")
# How much each head's probability counts (groma.md section 5): exponents of a product.
EXPONENTS: Mapping[Source, float] = {"coco": 0.4, "sa1b": 0.6}


@dataclass(frozen=True)
class Proposals:
    """Boxes (B, Q, 4), cx cy w h as fractions of the sides, and logits (B, Q) of each kind of source.

    masks (B, Q, h, w): for proposers that make them, how likely each cell of the picture is inside, in 0..1.
    """

    boxes: Tensor
    logits: Mapping[Source, Tensor]
    masks: Tensor | None = None

    def scores(self) -> Tensor:
        """Return how sure both heads together are of each box (B, Q), in 0..1."""
        return fused_scores({source: self.logits[source].sigmoid() for source in SOURCES})


def fused_scores(probabilities: Mapping[Source, Tensor]) -> Tensor:
    """Return one score of the probabilities of both heads: coco^0.4 * sa1b^0.6.

    >>> import torch
    >>> fused_scores({"coco": torch.tensor([0.5]), "sa1b": torch.tensor([0.5])})
    tensor([0.5000])
    """
    coco, sa1b = (probabilities[source] ** EXPONENTS[source] for source in SOURCES)
    return coco * sa1b


class Proposer(Protocol):
    """Whatever proposes boxes for a map of the vision encoder; another one may be put in its place."""

    def __call__(self, features: Tensor) -> Proposals:
        """Return the proposals for maps (B, C, H, W)."""
        ...

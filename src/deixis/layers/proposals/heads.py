"""What a query says: how to move its box, and whether there is something in it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

RARE = 0.01  # how likely a fresh head finds something in a box


class BoxHead(nn.Module):
    """Three linear maps from a query to the shift of its box, in logits. hidden: width between them."""

    def __init__(self, width: int, *, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(width, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 4)]
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, queries: Tensor) -> Tensor:
        """Return shifts (..., 4) of queries (..., D)."""
        first, second, last = self.layers
        shifts: Tensor = last(functional.relu(second(functional.relu(first(queries)))))
        return shifts


def class_head(width: int) -> nn.Linear:
    """Return a fresh head of one class, which finds something in one box of a hundred."""
    head = nn.Linear(width, 1)
    with torch.no_grad():
        head.bias.fill_(-math.log((1 - RARE) / RARE))
    return head

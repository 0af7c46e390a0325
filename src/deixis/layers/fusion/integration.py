"""Depth-breadth fusion (Chen et al., 2024, section 3.2): three interchangeable ways to join features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from deixis.errors import UsageError

Integration = Literal["channel", "token", "average"]
INTEGRATIONS: tuple[Integration, ...] = ("channel", "token", "average")


def integrate(features: Sequence[Tensor], how: Integration) -> Tensor:
    """Return features (B, N, D), F of them, as one.

    "channel": side by side, (B, N, F * D), as in the published models. "token": one behind the other,
    (B, F * N, D). "average": their mean, (B, N, D).

    >>> two = [torch.zeros(1, 5, 4), torch.ones(1, 5, 4)]
    >>> [tuple(integrate(two, how).shape) for how in INTEGRATIONS]
    [(1, 5, 8), (1, 10, 4), (1, 5, 4)]
    """
    if how == "channel":
        return torch.cat(list(features), dim=-1)
    if how == "token":
        return torch.cat(list(features), dim=1)
    if how == "average":
        return torch.stack(list(features)).mean(dim=0)
    raise UsageError(f"integration is {how!r}; expected one of {', '.join(INTEGRATIONS)}")


def integrated_width(how: Integration, *, width: int, count: int) -> int:
    """Return how wide a token is after ``integrate``."""
    return width * count if how == "channel" else width


def integrated_length(how: Integration, *, tokens: int, count: int) -> int:
    """Return how many tokens there are after ``integrate``."""
    return tokens * count if how == "token" else tokens

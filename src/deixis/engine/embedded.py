"""A prompt as a decoder reads it: vectors, and what each of them stands for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Embedded:
    """A prompt's vectors.

    vectors (L, D). identity: for each position something that is equal only where the vectors are: a token's
    id, or the picture and the cell that a vector comes from. Two prompts that begin alike are read once.
    prefix: so many first positions (a picture's) see each other in both directions. key_bias (L,): what later
    positions add to their attention to each position; None for nothing.
    """

    vectors: Tensor
    identity: tuple[Hashable, ...]
    prefix: int = 0
    key_bias: Tensor | None = None

    def __post_init__(self) -> None:
        if len(self.identity) != len(self.vectors):
            raise ValueError(f"{len(self.vectors)} vectors came with {len(self.identity)} identities")

    def __len__(self) -> int:
        return len(self.identity)

    def followed_by(self, ids: Sequence[int], vectors: Tensor) -> Embedded:
        """Return the prompt with more tokens behind it: their ids and their vectors (T, D)."""
        if not ids:
            return self
        bias = (
            None if self.key_bias is None else torch.cat([self.key_bias, self.key_bias.new_zeros(len(ids))])
        )
        return Embedded(
            torch.cat([self.vectors, vectors.to(self.vectors.dtype)]),
            (*self.identity, *ids),
            self.prefix,
            bias,
        )

    def shared_with(self, identity: Sequence[Hashable]) -> int:
        """Return how many first positions are those of another prompt and could be taken over from it.

        The last one is always read anew, since it has to say what comes next; a part that sees itself in both
        directions is taken over as a whole or not at all.
        """
        shared = common_length(self.identity[:-1], identity)
        return shared if shared >= self.prefix else 0


def common_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Return how many first items are equal.

    >>> common_length("abcd", "abxd")
    2
    """
    first, second = tuple(first), tuple(second)
    low, high = 0, min(len(first), len(second))
    # Whole stretches are compared at a time, which takes a fraction of the time of a loop over items.
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low

"""In which order the examples of an epoch come up: a pure function of seed and epoch.

Groups of one length follow LLaVA's training (Liu et al., 2024; group_by_modality_length), one source at a
time follows Groma's (Ma et al., 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from deixis.data.example_source import ExampleSource, lengths_of
from deixis.errors import RecipeError
from deixis.training.recipes.recipe import Recipe


class Order(Protocol):
    """What comes up in an epoch."""

    def __len__(self) -> int:
        """Return how many examples an epoch has."""
        ...

    def indices(self, *, seed: int, epoch: int) -> np.ndarray:
        """Return which examples come up in an epoch, (n,) int64, in their order."""
        ...


@dataclass(frozen=True)
class Shuffled:
    """All of ``count`` examples, shuffled anew every epoch."""

    count: int

    def __len__(self) -> int:
        return self.count

    def indices(self, *, seed: int, epoch: int) -> np.ndarray:
        """Return a permutation."""
        return np.random.default_rng([seed, epoch]).permutation(self.count)


@dataclass(frozen=True)
class LengthGroups:
    """Steps of similar work in all their passes, and of examples with a picture only, or without.

    lengths: of every example, negative where it has no picture. batch: examples a step; chunks: into how many
    passes (of all processes together) a step is cut. What doesn't fill a step is left out; chance says what.
    """

    lengths: tuple[int, ...]
    batch: int
    chunks: int

    def __len__(self) -> int:
        return len(self.lengths) // self.batch * self.batch

    def indices(self, *, seed: int, epoch: int) -> np.ndarray:
        """Return whole steps, shuffled as wholes; see ``length_grouped``."""
        chance = torch.Generator().manual_seed(seed_of(seed, epoch))
        ordered = length_grouped(self.lengths, size=self.batch, chunks=self.chunks, chance=chance)
        return np.array(ordered[: len(self)], dtype=np.int64)


@dataclass(frozen=True)
class SourceGroups:
    """Steps that are made of one source each, shuffled as wholes.

    sizes: of the sources, whose examples lie one behind the other. What doesn't fill a step of a source is
    left out; chance says what.
    """

    sizes: tuple[int, ...]
    batch: int

    def __len__(self) -> int:
        return sum(size // self.batch * self.batch for size in self.sizes)

    def indices(self, *, seed: int, epoch: int) -> np.ndarray:
        """Return the steps of all sources, mixed."""
        rng = np.random.default_rng([seed, epoch])
        steps, first = [], 0
        for size in self.sizes:
            whole = rng.permutation(size)[: size // self.batch * self.batch] + first
            steps.append(whole.reshape(-1, self.batch))
            first += size
        return rng.permutation(np.concatenate(steps)).reshape(-1)


def order_of(source: ExampleSource, recipe: Recipe, *, chunks: int) -> Order:
    """Return the recipe's order of a source; RecipeError where the source doesn't allow it.

    chunks: into how many passes, of all processes together, a step is cut.
    """
    if recipe.order == "shuffled":
        return Shuffled(len(source))
    order: Order
    if recipe.order == "length_groups":
        order = LengthGroups(tuple(lengths_of(source)), batch=recipe.batch, chunks=chunks)
    else:
        order = SourceGroups(tuple(getattr(source, "sizes", (len(source),))), batch=recipe.batch)
    if not len(order):
        raise RecipeError(
            f"recipe {recipe.name!r}: order {recipe.order} makes steps of {recipe.batch} examples of a kind, "
            f"but the {len(source)} examples don't fill one; choose a smaller batch, or order: shuffled"
        )
    return order


def seed_of(seed: int, epoch: int) -> int:
    """Return one number for a seed and an epoch."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


def length_grouped(
    lengths: Sequence[int], *, size: int, chunks: int, chance: torch.Generator, published: bool = False
) -> list[int]:
    """Return all examples in groups of ``size``: with a picture or without; each cut into even chunks.

    lengths: negative without a picture. Where both kinds are there, groups are shuffled as wholes, and the
    last group of each kind, which may be smaller, goes to the end. published: where no example has a picture,
    lengths stay negative as in LLaVA's sampler, which then puts the longest ones together.
    """
    kinds = [[i for i, length in enumerate(lengths) if (length > 0) == seen] for seen in (True, False)]
    if not all(kinds):
        own = list(lengths) if published else [abs(length) for length in lengths]
        return [i for group in grouped(own, size=size, chunks=chunks, chance=chance) for i in group]
    whole: list[list[int]] = []
    rest: list[int] = []
    for members in kinds:
        own = [abs(lengths[i]) for i in members]
        *full, last = grouped(own, size=size, chunks=chunks, chance=chance)
        whole += [[members[i] for i in group] for group in full]
        rest += [members[i] for i in last]
    drawn = torch.randperm(len(whole), generator=chance).tolist()
    return [*(i for group in drawn for i in whole[group]), *sorted(rest)]


def grouped(lengths: Sequence[int], *, size: int, chunks: int, chance: torch.Generator) -> list[list[int]]:
    """Return shuffled examples in groups of ``size``, the last may be smaller; each is chunk after chunk."""
    drawn = torch.randperm(len(lengths), generator=chance).tolist()
    groups = [drawn[first : first + size] for first in range(0, len(drawn), size)]
    longest_first = [sorted(group, key=lambda i: lengths[i], reverse=True) for group in groups]
    return [[i for chunk in even_chunks(group, lengths, chunks) for i in chunk] for group in longest_first]


def even_chunks(group: Sequence[int], lengths: Sequence[int], chunks: int) -> list[list[int]]:
    """Return a group, longest first, as chunks of equally many examples and about equal length.

    Each example goes to the chunk that is shortest so far and not full. A group that doesn't divide is dealt
    out like cards.

    >>> even_chunks([5, 2, 7, 1, 0, 3], [4, 9, 2, 7, 1, 1, 6, 8], 3)
    [[5, 1], [2, 0], [7, 3]]
    """
    if len(group) % chunks:
        return [list(group[first::chunks]) for first in range(chunks)]
    dealt: list[list[int]] = [[] for _ in range(chunks)]
    total = [0] * chunks
    for example in group:
        open_ones = [c for c in range(chunks) if len(dealt[c]) < len(group) // chunks]
        shortest = min(open_ones, key=lambda c: total[c])
        dealt[shortest].append(example)
        total[shortest] += lengths[example]
    return dealt

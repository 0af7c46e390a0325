"""Batches as a pure function of seed and step: asking for step 700 again gives the same batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from deixis.data.dialogue import Example

Batch = dict[str, Any]


class ExampleSource(Protocol):
    """Numbered pictures that can be asked for an example each time they come up."""

    def __len__(self) -> int: ...

    def example(self, index: int, rng: np.random.Generator) -> Example: ...


class Batches(Dataset[Batch]):
    """The batch of pass ``i`` of one process: pictures are shuffled anew every epoch."""

    def __init__(
        self,
        source: ExampleSource,
        collate: Callable[[Sequence[Example]], Batch],
        *,
        seed: int,
        size: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.source, self.collate = source, collate
        self.seed, self.size, self.rank, self.world = seed, size, rank, world
        self.order: tuple[int, np.ndarray] = (-1, np.zeros(0, dtype=np.int64))

    def index_at(self, position: int) -> int:
        """Return which picture comes up at a position of the endless stream."""
        epoch, place = divmod(position, len(self.source))
        if self.order[0] != epoch:
            shuffled = np.random.default_rng([self.seed, epoch]).permutation(len(self.source))
            self.order = (epoch, shuffled)
        return int(self.order[1][place])

    def __getitem__(self, number: int) -> Batch:
        first = (number * self.world + self.rank) * self.size
        examples = []
        for position in range(first, first + self.size):
            rng = np.random.default_rng([self.seed, position, 1])
            examples.append(self.source.example(self.index_at(position), rng))
        return self.collate(examples)


def stream(batches: Batches, *, first: int, last: int, workers: int) -> Iterator[Batch]:
    """Yield passes ``first`` to ``last`` (not included) in order, made by loader workers if there are any."""
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, last),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=one_thread,
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


def one_thread(_: int) -> None:
    """Keep a loader worker from taking more than one core."""
    torch.set_num_threads(1)

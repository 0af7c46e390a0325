"""Batches as a pure function of seed and step: asking for step 700 again gives the same batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from deixis.data.example_source import ExampleSource
from deixis.training.order import Order, Shuffled
from deixis.training.workers import begin_worker

Batch = dict[str, Any]


class Batches(Dataset[Batch]):
    """The batch of pass ``i`` of one process; order: what comes up in an epoch, by default all, shuffled."""

    def __init__(
        self,
        source: ExampleSource,
        collate: Callable[[Sequence[Any]], Batch],
        *,
        seed: int,
        size: int,
        rank: int = 0,
        world: int = 1,
        order: Order | None = None,
    ) -> None:
        self.source, self.collate = source, collate
        self.seed, self.size, self.rank, self.world = seed, size, rank, world
        self.order = Shuffled(len(source)) if order is None else order
        self.epoch: tuple[int, np.ndarray] = (-1, np.zeros(0, dtype=np.int64))

    def index_at(self, position: int) -> int:
        """Return which picture comes up at a position of the endless stream."""
        epoch, place = divmod(position, len(self.order))
        if self.epoch[0] != epoch:
            self.epoch = (epoch, self.order.indices(seed=self.seed, epoch=epoch))
        return int(self.epoch[1][place])

    def __getitem__(self, number: int) -> Batch:
        first = (number * self.world + self.rank) * self.size
        examples = []
        for position in range(first, first + self.size):
            rng = np.random.default_rng([self.seed, position, 1])
            examples.append(self.source.example(self.index_at(position), rng))
        return self.collate(examples)


def stream(batches: Batches, *, first: int, last: int, workers: int) -> Iterator[Batch]:
    """Yield passes ``first`` to ``last`` (not included) in order, made by loader workers if there are any.

    It draws from no global generator: a loader without one of its own would, and a resumed run would then go
    on with other draws than the uninterrupted one.
    """
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, last),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=begin_worker,
        multiprocessing_context="spawn" if workers else None,
        generator=torch.Generator().manual_seed(batches.seed),
    )
    return iter(loader)

"""A decoder's step as one CUDA graph: what is launched a thousand times a token is launched once.

A step of a large decoder is hundreds of small kernels, and starting them takes longer than running them. A
graph is recorded for a number of rows and of slots, over the loop's own store, and replayed for every further
token; what changes from token to token (vectors, slots) is copied into tensors that stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from deixis.engine.store import KeyValueStore

SLOTS = 256  # graphs are recorded for multiples of so many slots
PATIENCE = 4  # steps of one shape before a graph is worth recording
WARM_UP = 2

Forward = Callable[[Tensor, Tensor, "StandingWindow"], Tensor]
"""Called with vectors (B, D), slots (B,) and a cache; returns hidden states (B, D)."""


class StandingWindow:
    """The cache of a recorded step: rows 0 … B - 1 write at slots that a tensor holds."""

    is_compileable = False

    def __init__(self, store: KeyValueStore, *, rows: int, slots: int, where: Tensor) -> None:
        self.store, self.count, self.slots, self.where = store, rows, slots, where
        self.rows = torch.arange(rows, device=store.device)

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *unused: Any, **ignored: Any
    ) -> tuple[Tensor, Tensor]:
        """Write new keys and values (B, kv heads, 1, head width); return all (B, kv heads, slots, …)."""
        stored = self.store.keys[layer], self.store.values[layer]
        for kept, new in zip(stored, (keys, values), strict=True):
            kept[self.rows, :, self.where] = new[:, :, 0]
        return stored[0][: self.count, :, : self.slots], stored[1][: self.count, :, : self.slots]

    def get_seq_length(self, layer: int = 0) -> int:
        """Return how many slots are seen; the mask says which of them count."""
        return self.slots - 1

    def get_mask_sizes(self, query_length: int, layer: int = 0) -> tuple[int, int]:
        """Return how many keys attention sees, and at which position they begin."""
        return self.slots, 0

    def get_query_offset(self, layer: int = 0) -> int:
        """Return where the queries begin."""
        return self.slots - 1


class StepGraph:
    """One recorded step."""

    def __init__(
        self, forward: Forward, store: KeyValueStore, vectors: Tensor, where: Tensor, *, slots: int
    ) -> None:
        self.vectors, self.where = vectors.clone(), where.clone()
        # Whatever the graph reads has to stay where it is, as long as the graph.
        window = self.window = StandingWindow(store, rows=len(vectors), slots=slots, where=self.where)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):  # what is written will be written again
                forward(self.vectors, self.where, window)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.hidden = forward(self.vectors, self.where, window)

    def step(self, vectors: Tensor, where: Tensor) -> Tensor:
        """Return the hidden states (B, D) of one further step."""
        self.vectors.copy_(vectors)
        self.where.copy_(where)
        self.graph.replay()
        return self.hidden.clone()


class StepGraphs:
    """The graphs of one store, recorded once a shape has come up often enough."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int, int], int] = {}
        self.graphs: dict[tuple[int, int, int], tuple[StepGraph, Any]] = {}

    def find(
        self,
        forward: Forward,
        store: KeyValueStore,
        vectors: Tensor,
        where: Tensor,
        *,
        longest: int,
        bias: Tensor | None,
    ) -> StepGraph | None:
        """Return the graph for a step, recorded now if need be; None while it isn't worth it.

        longest: how many slots the step needs. bias: the very tensor that the forward adds.
        """
        slots = min(-(-longest // SLOTS) * SLOTS, store.slots)
        # A store that has grown has other memory.
        key = (len(vectors), slots, store.keys[0].data_ptr() ^ (0 if bias is None else id(bias)))
        if key not in self.graphs:
            self.seen[key] = self.seen.get(key, 0) + 1
            if self.seen[key] < PATIENCE:
                return None
            self.graphs[key] = StepGraph(forward, store, vectors, where, slots=slots), bias
        return self.graphs[key][0]

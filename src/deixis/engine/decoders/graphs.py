"""A decoder's step as one CUDA graph: what is launched a thousand times a token is launched once.

A step of a large decoder is hundreds of small kernels, and starting them takes longer than running them. A
graph is recorded for a number of rows and of slots, over the loop's own store, and replayed for every further
token; what changes from token to token (vectors, slots, biases) is copied into tensors that stay. Rows come
and go, so that their number is rounded up: rows behind those that are stepped are stepped for nothing.
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
FEW = (
    1,
    2,
    4,
    8,
    12,
    16,
    24,
    32,
)  # numbers of rows that graphs are recorded for; beyond them multiples of 16

Forward = Callable[[Tensor, Tensor, "StandingWindow", Tensor | None], Tensor]
"""Called with vectors (B, D), slots (B,), a cache and a bias (B, N); returns hidden states (B, D)."""


def rounded(rows: int) -> int:
    """Return for how many rows a step of so many is recorded.

    >>> [rounded(rows) for rows in (1, 3, 9, 32, 33)]
    [1, 4, 12, 32, 48]
    """
    return next((size for size in FEW if size >= rows), -(-rows // 16) * 16)


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
    """One recorded step of so many rows. biased: whether a bias (B, slots) is added to attention."""

    def __init__(
        self, forward: Forward, store: KeyValueStore, vectors: Tensor, *, rows: int, slots: int, biased: bool
    ) -> None:
        self.vectors = vectors.new_zeros(rows, vectors.shape[1])
        self.where = torch.zeros(rows, dtype=torch.long, device=store.device)
        self.bias = vectors.new_zeros(rows, slots) if biased else None
        self._bias_of: Tensor | None = None
        # Whatever the graph reads has to stay where it is, as long as the graph.
        self.window = StandingWindow(store, rows=rows, slots=slots, where=self.where)
        self._forward = forward

    def record(self) -> None:
        """Record the step; what it writes will be written again."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.forward()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.hidden = self.forward()

    def forward(self) -> Tensor:
        """Return the hidden states of what the tensors that stay hold now."""
        return self._forward(self.vectors, self.where, self.window, self.bias)

    def fill(self, vectors: Tensor, where: Tensor, bias: Tensor | None) -> None:
        """Put what is stepped into the tensors that stay: vectors (B, D), slots of all rows, bias (B, N)."""
        self.vectors[: len(vectors)].copy_(vectors)
        self.where.copy_(where)
        if self.bias is not None and bias is not self._bias_of:
            assert bias is not None
            width = min(bias.shape[1], self.bias.shape[1])
            self.bias.zero_()
            self.bias[: len(bias), :width] = bias[:, :width]
            self._bias_of = bias

    def replay(self) -> Tensor:
        """Return the hidden states of all rows."""
        self.graph.replay()
        return self.hidden.clone()


class StepGraphs:
    """The graphs of one store, recorded once a shape has come up often enough."""

    def __init__(self, graph: type[StepGraph] = StepGraph) -> None:
        self.graph = graph
        self.seen: dict[tuple[int, int, int, bool], int] = {}
        self.graphs: dict[tuple[int, int, int, bool], StepGraph] = {}

    def step(
        self,
        forward: Forward,
        store: KeyValueStore,
        vectors: Tensor,
        where: Tensor,
        *,
        slots: int,
        bias: Tensor | None,
    ) -> Tensor | None:
        """Return hidden states (B, D) of a step of the first B rows; None while a graph isn't worth it.

        vectors (B, D) go to slots (B,) of their rows; slots: how many the step may see.
        """
        rows = rounded(len(vectors))
        behind = store.spare_slots(len(vectors), rows)
        if behind is None:
            rows, behind = len(vectors), []
        # A store that has grown has other memory.
        key = (rows, slots, store.keys[0].data_ptr(), bias is not None)
        found = self.graphs.get(key)
        if found is None:
            self.seen[key] = self.seen.get(key, 0) + 1
            if self.seen[key] < PATIENCE:
                return None
            found = self.graph(forward, store, vectors, rows=rows, slots=slots, biased=bias is not None)
        if behind:
            where = torch.cat([where, torch.tensor(behind, device=where.device)])
        found.fill(vectors, where, bias)
        if key not in self.graphs:
            found.record()
            self.graphs[key] = found
        return found.replay()[: len(vectors)]

"""Which positions see which, as what is added to attention: behind what rows hold, and where they branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.engine.store import KeyValueStore, Window


@dataclass(frozen=True)
class Trees:
    """Positions that branch off behind each of B rows, at most T a row.

    counts: how many there are of each row; the others are padding. depths (B, T): how many come before each
    on its branch. sees (B, T, T): which of them each one sees, itself and those before it on its branch.
    """

    counts: tuple[int, ...]
    depths: Tensor
    sees: Tensor

    @classmethod
    def of(cls, parents: Sequence[Sequence[int]]) -> Trees:
        """Return the trees of rows. parents: of each position the one before it, which comes earlier, or -1.

        >>> Trees.of([[-1, 0, 0]]).sees.int().tolist()
        [[[1, 0, 0], [1, 1, 0], [1, 0, 1]]]
        """
        longest = max(map(len, parents))
        alike: dict[tuple[int, ...], int] = {}
        which = [alike.setdefault(tuple(own), len(alike)) for own in parents]
        sees = torch.zeros(len(alike), longest, longest, dtype=torch.bool)
        for seen, own in zip(sees, alike, strict=True):
            for position, parent in enumerate(own):
                if parent >= 0:
                    seen[position] = seen[parent]
                seen[position, position] = True
        depths = (sees.sum(dim=-1) - 1).clamp(min=0)
        return cls(tuple(map(len, parents)), depths[which], sees[which])


def check_prefixes(window: Window, prefix: Sequence[int]) -> None:
    """ValueError if a row's prefix is neither stored as a whole nor part of what is read as a whole."""
    for row, start, count, length in zip(window.rows, window.starts, window.counts, prefix, strict=True):
        if start < length and (start or count < length):
            raise ValueError(
                f"the first {length} positions of row {row} see each other and must be read at once; it "
                f"holds {start}, and {count} come"
            )


def stacked_bias(
    store: KeyValueStore, key_bias: Sequence[Tensor | None] | None, *, like: Tensor
) -> Tensor | None:
    """Return what is added to attention to each row's first keys (B, N); zero behind what a row gives.

    The store keeps it for the next step, as long as the rows give the very same tensors.
    """
    if key_bias is None or all(bias is None for bias in key_bias):
        return None
    given = list(key_bias)
    if store.stacked is not None:
        kept, stacked = store.stacked
        if len(kept) == len(given) and all(old is new for old, new in zip(kept, given, strict=True)):
            return stacked
    stacked = like.new_zeros(len(given), max(len(bias) for bias in given if bias is not None))
    for row, bias in zip(stacked, given, strict=True):
        if bias is not None:
            row[: len(bias)] = bias
    store.stacked = (given, stacked)
    return stacked


def reading_mask(
    queries: Tensor,
    keys: Tensor,
    *,
    prefix: Tensor | None = None,
    bias: Tensor | None = None,
    reach: int | None = None,
    dtype: torch.dtype,
) -> Tensor:
    """Return the additive mask (B, 1, T, K) of queries at positions (B, T) for keys at positions (K,).

    prefix (B, 1): how many first positions see each other. bias (B, N): added for queries behind the prefix.
    reach: how far back a query sees, itself included.

    >>> mask = reading_mask(torch.tensor([[2]]), torch.arange(4), reach=2, dtype=torch.float32)
    >>> mask[0, 0].eq(0).int().tolist()
    [[0, 1, 1, 0]]
    """
    seen = keys <= queries[..., None]  # (B, T, K)
    if reach is not None:
        seen &= keys > queries[..., None] - reach
    mask = weighted(seen, bias, dtype=dtype)
    if prefix is not None:
        inside = (queries < prefix)[..., None]  # (B, T, 1)
        seen |= inside & (keys < prefix)[:, None]
        mask.masked_fill_(inside, 0)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


def tree_mask(
    queries: Tensor,
    keys: Tensor,
    *,
    start: Tensor,
    sees: Tensor,
    bias: Tensor | None = None,
    reach: int | None = None,
    dtype: torch.dtype,
) -> Tensor:
    """Return the same for queries at positions (B, T) that branch off behind rows.

    keys (K,): the rows' slots; start (B, 1): the slot of the first query of each row, the others behind it.
    sees (B, T, T): see ``Trees``.

    >>> sees = Trees.of([[-1, 0, 0]]).sees
    >>> start, queries = torch.tensor([[2]]), torch.tensor([[2, 3, 3]])
    >>> mask = tree_mask(queries, torch.arange(6), start=start, sees=sees, dtype=torch.float32)
    >>> mask[0, 0].eq(0).int().tolist()
    [[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0]]
    """
    most = sees.shape[-1]
    behind = keys - start  # (B, K)
    own = sees.gather(2, behind.clamp(0, most - 1)[:, None].expand(-1, most, -1))  # (B, T, K)
    held = (behind < 0)[:, None]
    if reach is not None:
        held = held & (keys > queries[..., None] - reach)
    seen = held | (own & (behind >= 0)[:, None] & (behind < most)[:, None])
    mask = weighted(seen, bias, dtype=dtype)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


def weighted(seen: Tensor, bias: Tensor | None, *, dtype: torch.dtype) -> Tensor:
    """Return what is added to attention to keys, seen (B, T, K) or not: the bias (B, N) of the first ones."""
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    if bias is not None:
        width = min(bias.shape[1], seen.shape[-1])
        mask[..., :width] += bias[:, None, :width].to(dtype)
    return mask

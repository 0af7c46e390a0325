"""Rows of different lengths in one forward without padding: their vectors stand one behind the other.

Linear layers read all of them as one row; attention is told here which belong together. That is what lets a
stretch of a prompt be read in the same forward in which answers take their next step, for hardly more than
the stretch alone takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.engine.decoders.masks import reading_mask, stacked_bias
from deixis.engine.store import Window

KIND = "deixis_ragged"  # of attention, as the library's decoders are told


@dataclass(frozen=True)
class Stretch:
    """Rows side by side in the store that get equally many vectors.

    rows: of the store. first, end: where their vectors are. slots: how many of the rows are seen.
    mask (B, 1, T, slots): what is added to attention.
    """

    rows: slice
    first: int
    end: int
    slots: int
    mask: Tensor


class RaggedWindow(Window):
    """The cache of a forward over vectors (1, N, D), those of its first row first; further ones are padding.

    stretches: all that attention has to be done for. done_in: in how many layers it was.
    """

    def __init__(self, plain: Window) -> None:
        super().__init__(plain.store, plain.rows, plain.counts, slots=plain.slots)
        self.stretches: list[Stretch] = []
        self.done_in = 0

    def alike(self) -> Iterator[range]:
        """Yield which rows, counted as they were given, can be attended to at once."""
        first = 0
        for number in range(1, len(self.rows) + 1):
            follows = (
                number < len(self.rows)
                and self.rows[number] == self.rows[number - 1] + 1
                and self.counts[number] == self.counts[first]
            )
            if not follows:
                yield range(first, number)
                first = number

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *unused: Any, **ignored: Any
    ) -> tuple[Tensor, Tensor]:
        """Write new keys and values (1, kv heads, N, head width), and return them as they are."""
        count = len(self.row_index)
        for stored, new in ((self.store.keys[layer], keys), (self.store.values[layer], values)):
            stored[self.row_index, :, self.slot_index] = new[0, :, :count].transpose(0, 1)
        return keys, values

    def attend(self, queries: Tensor, layer: int, *, scale: float | None) -> Tensor:
        """Return what queries (1, heads, N, head width) see in their rows (1, N, heads, head width)."""
        keys, values = self.store.keys[layer], self.store.values[layer]
        groups = queries.shape[1] // keys.shape[1]
        seen = queries.new_zeros(queries.shape[2], queries.shape[1], queries.shape[3])
        for one in self.stretches:
            rows = one.rows.stop - one.rows.start
            own = queries[0, :, one.first : one.end].unflatten(1, (rows, -1)).transpose(0, 1)
            # Heads that share a key are as many queries of it, so that no key has to be repeated.
            shared = own.unflatten(1, (-1, groups)).flatten(2, 3)  # (B, kv heads, groups * T, head width)
            found = functional.scaled_dot_product_attention(
                shared,
                keys[one.rows, :, : one.slots],
                values[one.rows, :, : one.slots],
                attn_mask=one.mask.repeat(1, 1, groups, 1),
                scale=scale,
            )
            found = found.unflatten(2, (groups, -1)).flatten(1, 2)  # (B, heads, T, head width)
            seen[one.first : one.end] = found.transpose(1, 2).flatten(0, 1)
        self.done_in += 1
        return seen[None]


def arrange(
    window: RaggedWindow,
    *,
    prefix: Sequence[int],
    key_bias: Sequence[Tensor | None] | None,
    reach: int | None,
    like: Tensor,
) -> Tensor:
    """Tell a window what sees what, see ``masks.reading_mask``; return the positions (N,) of its vectors."""
    store = window.store
    positions: list[Tensor] = []
    first = 0
    for alike in window.alike():
        numbers, count = slice(alike.start, alike.stop), window.counts[alike.start]
        row, end = window.rows[alike.start], first + len(alike) * count
        where = torch.tensor([window.starts[numbers], prefix[numbers]], device=store.device)
        start, both = where[..., None].unbind(0)  # (B, 1) each
        queries = start + torch.arange(count, device=store.device)  # (B, T)
        slots = max(window.ends[numbers])
        mask = reading_mask(
            queries,
            store.positions[:slots],
            prefix=both if any(prefix[numbers]) else None,
            bias=stacked_bias(store, None if key_bias is None else key_bias[numbers], like=like),
            reach=reach,
            dtype=like.dtype,
        )
        window.stretches.append(Stretch(slice(row, row + len(alike)), first, end, slots, mask))
        positions.append(queries.flatten())
        first = end
    return torch.cat(positions)


@contextmanager
def attending(body: nn.Module, window: RaggedWindow) -> Iterator[dict[str, Any]]:
    """Let a body attend as a window says, and yield what it is called with for that.

    Our own body asks its cache. RuntimeError: a layer attended in a way of its own.
    """
    config: Any = body.config
    before = getattr(config, "_attn_implementation", None)
    if before is None:
        yield {}
    else:
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

        ALL_ATTENTION_FUNCTIONS[KIND] = attention
        config._attn_implementation = KIND
        try:
            yield {"ragged": window}
        finally:
            config._attn_implementation = before
    if window.done_in != len(window.store.keys):
        raise RuntimeError(
            f"{window.done_in} of {len(window.store.keys)} layers of {type(body).__name__} attend to rows of "
            "different lengths"
        )


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    ragged: RaggedWindow,
    scaling: float | None = None,
    **ignored: Any,
) -> tuple[Tensor, None]:
    """Attention of a layer, as the library's decoders call it."""
    return ragged.attend(query, module.layer_idx, scale=scaling), None

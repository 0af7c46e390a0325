"""The decoder as the decoding loop sees it: it reads vectors behind what rows of a store hold.

One batch may hold rows of different lengths, about different pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from deixis.engine.decoders.masks import Trees
from deixis.engine.store import KeyValueStore


class Decoder(Protocol):
    """What the loop asks of a decoder. B rows, T new positions, D its width."""

    @property
    def width(self) -> int:
        """Return D."""

    @property
    def positions(self) -> int | None:
        """Return how many positions it has; None if nothing limits them."""

    @property
    def device(self) -> torch.device:
        """Return where its parameters are."""

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of its parameters, and of the vectors it reads."""

    def new_store(self, rows: int, slots: int) -> KeyValueStore:
        """Return a store for so many rows, to begin with."""

    def read(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Sequence[Tensor],
        *,
        prefix: Sequence[int] | None = None,
        key_bias: Sequence[Tensor | None] | None = None,
        regime: int | None = None,
    ) -> Tensor:
        """Read vectors (T_i, D) behind what each row holds; return the last hidden state of each (B, D).

        prefix: how many first positions of each row see each other in both directions. key_bias: what is
        added to attention to the first keys of a row, one number a key, by queries behind the prefix. regime:
        that of the rows once all of them is read, if this isn't the end.
        """

    def states(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Sequence[Tensor],
        *,
        prefix: Sequence[int] | None = None,
        key_bias: Sequence[Tensor | None] | None = None,
        regime: int | None = None,
    ) -> Tensor:
        """Read as ``read`` does; return all hidden states (B, T, D), those of padding included."""

    def step(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Tensor,
        *,
        key_bias: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Read one vector a row (B, D), behind the prefix; return hidden states (B, D)."""

    def branches(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Tensor,
        trees: Trees,
        *,
        key_bias: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Read vectors (B, T, D) that branch off behind what rows hold; return hidden states (B, T, D).

        Rows hold nothing of it afterwards. All of it has to be in the regime that the rows are in.
        """

    def logits(self, hidden: Tensor) -> Tensor:
        """Return what hidden states (…, D) say about the next token (…, V)."""

    def words(self, ids: Tensor | Sequence[int]) -> Tensor:
        """Return the vectors (…, D) of tokens, as the decoder reads them."""

    def regime(self, length: int) -> int:
        """Return which set of frequencies a row of so many tokens is read with.

        Rows of different regimes can't share a forward, and a row that comes into another one must be read
        anew from its beginning: ``read`` and ``step`` raise ValueError. Most decoders have one regime, 0.
        """

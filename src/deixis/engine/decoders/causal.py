"""A decoder of the Llama, Gemma and Phi-3 classes of the library, or of parts that a system brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.engine.decoders.graphs import SLOTS, StandingWindow, StepGraph, StepGraphs
from deixis.engine.decoders.masks import Trees, check_prefixes, reading_mask, stacked_bias, tree_mask
from deixis.engine.decoders.ragged import RaggedWindow, arrange, attending
from deixis.engine.store import KeyValueStore, Window
from deixis.layers.few_rows import quicken
from deixis.layers.language.cache_argument import cache_name
from deixis.layers.language.causal_decoders import regime_switch, window_of

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


class CausalDecoder:
    """A decoder of the library ``transformers``, or of parts like its.

    model: has ``model``, ``lm_head`` and ``config``. Parts that are given take the place of the model's:
    body is called with inputs_embeds, attention_mask, position_ids, use_cache and the cache, head turns
    hidden states into logits, words ids into vectors; config is that of the body. Linear layers of body and
    head are made quick with few rows (see few_rows). compile: steps that
    are recorded, on CUDA, are compiled by ``torch.compile`` first (it needs a compiler, and minutes).
    """

    def __init__(
        self,
        model: Any = None,
        *,
        body: nn.Module | None = None,
        head: Callable[[Tensor], Tensor] | None = None,
        words: Callable[[Tensor], Tensor] | None = None,
        config: Any = None,
        compile: bool = False,
    ) -> None:
        self.compile = compile
        self._compiled: Callable[..., Any] | None = None
        self.body: nn.Module = model.model if body is None else body
        self._head = model.lm_head if head is None else head
        self._words = model.get_input_embeddings() if words is None else words
        self.config: PreTrainedConfig | Any = model.config if config is None else config
        self._switch = regime_switch(self.config)
        self._reach = window_of(self.config)
        for part in (self.body, self._head):
            if isinstance(part, nn.Module):
                quicken(part)
        self._keyword: str = getattr(self.body, "cache_keyword", None) or cache_name()

    @property
    def width(self) -> int:
        """Return the width of the vectors it reads and of its hidden states."""
        return self.config.hidden_size

    @property
    def positions(self) -> int | None:
        """Return how many positions it was made for."""
        return getattr(self.config, "max_position_embeddings", None)

    @property
    def device(self) -> torch.device:
        """Return where the body's parameters are."""
        return next(self.body.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of the body's parameters."""
        return next(self.body.parameters()).dtype

    def new_store(self, rows: int, slots: int) -> KeyValueStore:
        """Return an empty store with memory for so many rows and slots; it grows when asked for more."""
        return KeyValueStore.for_decoder(
            self.config, rows=rows, slots=slots, device=self.device, dtype=self.dtype
        )

    def regime(self, length: int) -> int:
        """Return 1 for rows longer than what the decoder was first trained for, if it then changes."""
        return int(self._switch is not None and length > self._switch)

    @torch.no_grad()
    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits (…, V) of hidden states (…, D)."""
        return self._head(hidden)

    @torch.no_grad()
    def words(self, ids: Tensor | Sequence[int]) -> Tensor:
        """Return the vectors (…, D) of ids."""
        if not isinstance(ids, Tensor):
            ids = torch.tensor(list(ids), dtype=torch.long, device=self.device)
        return self._words(ids)

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
        """Read vectors (T_i, D) behind what each row holds; return the last hidden state of each (B, D)."""
        given: Any = {"prefix": prefix, "key_bias": key_bias, "regime": regime}
        if len({len(one) for one in vectors}) > 1:
            return self._ragged(store, rows, vectors, **given)
        return self.states(store, rows, vectors, **given)[:, len(vectors[0]) - 1]

    @torch.no_grad()
    def _ragged(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Sequence[Tensor],
        *,
        prefix: Sequence[int] | None,
        key_bias: Sequence[Tensor | None] | None,
        regime: int | None,
    ) -> Tensor:
        """Read as ``read`` does, without padding."""
        counts = [len(one) for one in vectors]
        window = RaggedWindow(store.window(rows, counts))
        prefix = [0] * len(counts) if prefix is None else list(prefix)
        check_prefixes(window, prefix)
        early = regime is not None and self.regime(max(window.ends)) < regime
        regime = self._regime(window, regime)
        like = vectors[0].to(self.dtype)
        positions = arrange(window, prefix=prefix, key_bias=key_bias, reach=self._reach, like=like)
        if early:  # as in ``states``
            assert self._switch is not None
            positions = functional.pad(positions, (0, 1), value=self._switch)
        embeds = functional.pad(torch.cat(list(vectors)), (0, 0, 0, int(early)))[None]
        with attending(self.body, window) as more:
            # The library takes a mask of four axes as it is; attention doesn't look at it.
            hidden = self._body(embeds, like.new_zeros(1, 1, 1, 1), positions[None], window, **more)
        window.done(regime=regime)
        return hidden[0, torch.tensor(counts, device=store.device).cumsum(0) - 1]

    @torch.no_grad()
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
        """Read vectors (T_i, D) behind what each row holds; return all hidden states (B, T, D).

        Padding comes last and repeats what the last vector sees; its states mean nothing.
        """
        counts = [len(one) for one in vectors]
        window = store.window(rows, counts)
        prefix = [0] * len(counts) if prefix is None else list(prefix)
        check_prefixes(window, prefix)
        early = regime is not None and self.regime(max(window.ends)) < regime
        regime = self._regime(window, regime)
        where = [window.starts, counts, prefix]
        start, count, both = torch.tensor(where, device=store.device)[..., None].unbind(0)  # (B, 1) each
        longest = max(counts) + early
        steps = torch.arange(longest, device=store.device)
        queries = start + torch.minimum(steps, count - 1)  # (B, T)
        if early:  # one position behind the switch, of padding, makes the library take its frequencies
            assert self._switch is not None
            queries[:, -1] = self._switch
        mask = reading_mask(
            queries,
            store.positions[: window.slots],
            prefix=both if any(prefix) else None,
            bias=stacked_bias(store, key_bias, like=vectors[0]),
            reach=self._reach,
            dtype=self.dtype,
        )
        padded = [functional.pad(one, (0, 0, 0, longest - len(one))) for one in vectors]
        return self._forward(torch.stack(padded), mask, queries, window, regime=regime)

    @torch.no_grad()
    def step(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Tensor,
        *,
        key_bias: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Read one vector a row (B, D), behind every prefix; return hidden states (B, D)."""
        window = store.window(rows, [1] * len(vectors))
        regime = self._regime(window)
        bias = stacked_bias(store, key_bias, like=vectors)
        hidden = self._recorded(store, window, vectors, bias)
        if hidden is None:
            hidden = self._one(vectors, window.slot_index, window, slots=window.slots, store=store, bias=bias)
        window.done(regime=regime)
        return hidden

    @torch.no_grad()
    def branches(
        self,
        store: KeyValueStore,
        rows: Sequence[int],
        vectors: Tensor,
        trees: Trees,
        *,
        key_bias: Sequence[Tensor | None] | None = None,
    ) -> Tensor:
        """Read vectors (B, T, D) that branch off behind what rows hold; return hidden states (B, T, D)."""
        window = store.window(rows, trees.counts)
        self._regime(window)
        start = torch.tensor(window.starts, device=store.device)[:, None]  # (B, 1)
        queries = start + trees.depths.to(store.device)
        mask = tree_mask(
            queries,
            store.positions[: window.slots],
            start=start,
            sees=trees.sees.to(store.device),
            bias=stacked_bias(store, key_bias, like=vectors),
            reach=self._reach,
            dtype=self.dtype,
        )
        return self._body(vectors, mask, queries, window)

    def _one(
        self,
        vectors: Tensor,
        where: Tensor,
        window: Any,
        *,
        slots: int,
        store: KeyValueStore,
        bias: Tensor | None,
    ) -> Tensor:
        """Return the hidden states (B, D) of vectors (B, D) that go to slots (B,) of their rows."""
        queries = where[:, None]  # (B, 1)
        mask = reading_mask(queries, store.positions[:slots], bias=bias, reach=self._reach, dtype=self.dtype)
        return self._body(vectors[:, None], mask, queries, window, call=self._stepping(window))[:, 0]

    def _stepping(self, window: Any) -> Callable[..., Any]:
        """Return what a step calls: the body; compiled, if asked for, where the step is being recorded.

        The cache of a step that isn't recorded is another one each time, for which it would compile anew.
        """
        if not self.compile or not isinstance(window, StandingWindow):
            return self.body
        if self._compiled is None:
            self._compiled = torch.compile(self.body)
        return self._compiled

    def _recorded(
        self, store: KeyValueStore, window: Window, vectors: Tensor, bias: Tensor | None
    ) -> Tensor | None:
        """Return the hidden states (B, D) of a step by a recorded one; None where there is none.

        A decoder that changes its frequencies looks at positions on the way, which can't be recorded.
        """
        block = window.rows == list(range(len(window.rows)))
        graph = self.recorder(store.device)
        if graph is None or self._switch is not None or not block:
            return None
        if store.graphs is None:
            store.graphs = StepGraphs(graph)
        slots = min(-(-window.slots // SLOTS) * SLOTS, store.slots)
        found: Tensor | None = store.graphs.step(
            lambda one, where, cache, own: self._one(one, where, cache, slots=slots, store=store, bias=own),
            store,
            vectors.to(self.dtype),
            window.slot_index,
            slots=slots,
            bias=bias,
        )
        return found

    def recorder(self, device: torch.device) -> type[StepGraph] | None:
        """Return what records steps on a device; graphs are CUDA's."""
        return StepGraph if device.type == "cuda" else None

    def _forward(
        self, embeds: Tensor, mask: Tensor, positions: Tensor, window: Window, *, regime: int
    ) -> Tensor:
        hidden = self._body(embeds, mask, positions, window)
        window.done(regime=regime)
        return hidden

    def _body(
        self,
        embeds: Tensor,
        mask: Tensor,
        positions: Tensor,
        window: Any,
        *,
        call: Callable[..., Any] | None = None,
        **more: Any,
    ) -> Tensor:
        hidden: Tensor = (self.body if call is None else call)(
            inputs_embeds=embeds.to(self.dtype),
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            **{self._keyword: window},
            **more,
        ).last_hidden_state
        return hidden

    def _regime(self, window: Window, wanted: int | None = None) -> int:
        """Return the regime of a forward, the one wanted if given; ValueError if its rows are not of one."""
        ends = window.ends
        regimes = [self.regime(end) if wanted is None else wanted for end in ends]
        if len(set(regimes)) > 1:
            raise ValueError(
                f"rows of {ends} tokens are read with different frequencies (the switch is behind "
                f"{self._switch}) and can't share a forward"
            )
        for row, start in zip(window.rows, window.starts, strict=True):
            if start and window.store.regimes[row] != regimes[0]:
                raise ValueError(
                    f"row {row} crosses the switch behind {self._switch} tokens: read it anew from its start"
                )
        return regimes[0]

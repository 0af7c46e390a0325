"""Keys and values of many answers at once: rows of different lengths in memory that is allocated once.

Every row is left-aligned: its tokens are in slots 0 … length - 1, so that a slot is a position and nothing
has to move when a longer row joins. What may be seen is the caller's mask; slots behind a row's length hold
zeros or what padding left there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class SavedKeys:
    """Keys and values of a stretch of one row, copied out of a store.

    layers: keys and values of each layer, each (kv heads, T, head width). regime: the decoder's, see
    ``decoder.Decoder.regime``; keys of one regime can't be continued in another.
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    regime: int = 0

    @property
    def length(self) -> int:
        """Return how many positions were saved."""
        return self.layers[0][0].shape[1]

    @property
    def nbytes(self) -> int:
        """Return how much memory the copies take."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def split(self, at: int) -> tuple[SavedKeys, SavedKeys]:
        """Return copies of the first ``at`` positions and of the others."""
        parts = [
            tuple((keys[:, part].clone(), values[:, part].clone()) for keys, values in self.layers)
            for part in (slice(None, at), slice(at, None))
        ]
        return SavedKeys(parts[0], self.regime), SavedKeys(parts[1], self.regime)


class KeyValueStore:
    """Keys and values (rows, kv heads, slots, head width) of every layer.

    Rows in use are 0 … len(lengths) - 1 without gaps, so that a forward over all of them reads slices, not
    copies. ``lengths`` and ``regimes`` say of each how many tokens it holds and in which regime they were
    read. What was ever written behind a row's tokens is wiped before another one gets the row: a number that
    isn't finite would come through a mask.
    """

    def __init__(
        self,
        *,
        layers: int,
        rows: int,
        heads: int,
        slots: int,
        head_width: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        shape = (rows, heads, slots, head_width)
        # Memory made in inference mode could not be written outside of it.
        with torch.inference_mode(False):
            self.keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(layers)]
            self.values = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(layers)]
            self.positions = torch.arange(slots, device=device)
        self._written = [0] * rows  # up to where each row, in use or not, may hold anything but zeros
        self.lengths: list[int] = []
        self.regimes: list[int] = []
        self.graphs: Any = None  # see ``graphs.StepGraphs``; made when first asked for
        self.stacked: tuple[list[Tensor | None], Tensor] | None = None  # see ``masks.stacked_bias``

    @classmethod
    def for_decoder(
        cls,
        config: Any,
        *,
        rows: int,
        slots: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> KeyValueStore:
        """Return an empty store with memory for ``rows`` answers of ``slots`` tokens.

        >>> from transformers import LlamaConfig
        >>> config = LlamaConfig(
        ...     hidden_size=32, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=3
        ... )
        >>> store = KeyValueStore.for_decoder(
        ...     config, rows=5, slots=7, device=torch.device("cpu"), dtype=torch.float32
        ... )
        >>> len(store.keys), tuple(store.keys[0].shape)
        (3, (5, 2, 7, 8))
        """
        queries: int = config.num_attention_heads
        return cls(
            layers=config.num_hidden_layers,
            rows=rows,
            heads=getattr(config, "num_key_value_heads", None) or queries,
            slots=slots,
            head_width=getattr(config, "head_dim", None) or config.hidden_size // queries,
            device=device,
            dtype=dtype,
        )

    @property
    def rows(self) -> int:
        """Return how many rows there is memory for."""
        return self.keys[0].shape[0]

    @property
    def slots(self) -> int:
        """Return how many tokens a row has memory for."""
        return self.keys[0].shape[2]

    @property
    def device(self) -> torch.device:
        """Return where the memory is."""
        return self.keys[0].device

    @property
    def nbytes(self) -> int:
        """Return how much memory the keys and values take."""
        return sum(tensor.nbytes for tensor in self.keys + self.values)

    def ensure(self, *, rows: int = 0, slots: int = 0) -> None:
        """Grow, at least to twice as much, where there is less memory than ``rows`` and ``slots`` need."""
        more_rows = max(rows, 2 * self.rows) if rows > self.rows else self.rows
        more_slots = max(slots, 2 * self.slots) if slots > self.slots else self.slots
        if (more_rows, more_slots) == (self.rows, self.slots):
            return
        self.resize(rows=more_rows, slots=more_slots)

    def resize(self, *, rows: int, slots: int) -> None:
        """Make memory for exactly so many rows and slots, at least for those in use."""
        if rows < len(self.lengths) or slots < max(self.lengths, default=0):
            raise ValueError(
                f"{len(self.lengths)} rows of up to {max(self.lengths, default=0)} tokens are in use; memory "
                f"for {rows} of {slots} is too little"
            )
        kept, held = len(self.lengths), min(slots, self.slots)
        with torch.inference_mode(False), torch.no_grad():
            for tensors in (self.keys, self.values):
                for layer, old in enumerate(tensors):
                    new = old.new_zeros((rows, old.shape[1], slots, old.shape[3]))
                    new[:kept, :, :held] = old[:kept, :, :held]
                    tensors[layer] = new
            self.positions = torch.arange(slots, device=self.device)
        written = [min(end, held) for end in self._written[:kept]]
        self._written = written + [0] * (rows - kept)

    def add(self, count: int = 1) -> range:
        """Return ``count`` new, empty rows."""
        first = len(self.lengths)
        self.ensure(rows=first + count)
        for row in range(first, first + count):
            self._wipe(row, 0)
        self.lengths += [0] * count
        self.regimes += [0] * count
        return range(first, first + count)

    def free(self, row: int) -> int | None:
        """Give up a row; the last one moves into its place, and its old number is returned.

        None says that nothing moved, because the row was the last one itself.
        """
        self._known(row)
        last = len(self.lengths) - 1
        if row != last:
            self.copy(last, row)
        self.lengths.pop()
        self.regimes.pop()
        return None if row == last else last

    def fork(self, row: int, count: int) -> range:
        """Return ``count`` new rows that hold what ``row`` holds."""
        self._known(row)
        rows = self.add(count)
        length = self.lengths[row]
        for tensor in self.keys + self.values:
            tensor[rows.start : rows.stop, :, :length] = tensor[row, :, :length]
        for new in rows:
            self._holds(new, length, regime=self.regimes[row])
        return rows

    def copy(self, source: int, target: int) -> None:
        """Let one row hold what another one holds."""
        self._known(source, target)
        if source == target:
            return
        length = self.lengths[source]
        self._wipe(target, length)
        for tensor in self.keys + self.values:
            tensor[target, :, :length] = tensor[source, :, :length]
        self._holds(target, length, regime=self.regimes[source])

    def share(self, source: int, target: int, length: int, *, of: KeyValueStore | None = None) -> None:
        """Let a row hold the first ``length`` tokens of another one, whose beginning it holds already.

        of: the store that the other row is in, if it is another one of the same decoder.
        """
        other = self if of is None else of
        other._known(source)
        self._known(target)
        known = self.lengths[target]
        if not known <= length <= other.lengths[source]:
            raise ValueError(
                f"row {target} holds {known} tokens, row {source} {other.lengths[source]}, not {length}"
            )
        self.ensure(slots=length)
        for own, theirs in zip(self.keys + self.values, other.keys + other.values, strict=True):
            own[target, :, known:length] = theirs[source, :, known:length]
        self._holds(target, length, regime=other.regimes[source])

    def swap(self, first: int, second: int) -> None:
        """Let two rows change places."""
        self._known(first, second)
        length = max(self._written[first], self._written[second])
        for tensor in self.keys + self.values:
            kept = tensor[first, :, :length].clone()
            tensor[first, :, :length] = tensor[second, :, :length]
            tensor[second, :, :length] = kept
        for numbers in (self.lengths, self.regimes, self._written):
            numbers[first], numbers[second] = numbers[second], numbers[first]

    def truncate(self, row: int, length: int) -> None:
        """Forget a row's tokens behind the first ``length`` ones, and wipe them."""
        self._known(row)
        held = self.lengths[row]
        if not 0 <= length <= held:
            raise ValueError(f"row {row} holds {held} tokens and can't be cut to {length}")
        if length < held:
            self._wipe(row, length)
        self.lengths[row] = length

    def saved(self, row: int, start: int = 0, end: int | None = None) -> SavedKeys:
        """Return copies of what a row holds at positions start … end - 1; of all of it without ``end``."""
        self._known(row)
        held = self.lengths[row]
        end = held if end is None else end
        if not 0 <= start <= end <= held:
            raise ValueError(f"row {row} holds {held} tokens; there are no positions {start} … {end}")
        layers = tuple(
            (keys[row, :, start:end].clone(), values[row, :, start:end].clone())
            for keys, values in zip(self.keys, self.values, strict=True)
        )
        return SavedKeys(layers, self.regimes[row])

    def load(self, row: int, saved: SavedKeys, *, start: int = 0, length: int | None = None) -> None:
        """Put the first ``length`` positions that were saved (all of them, if not given) into a row.

        They come behind the row's first ``start`` tokens; what it holds from there on is forgotten. They
        must have been saved from the same positions: a key knows its own.
        """
        length = saved.length if length is None else length
        if not 0 <= length <= saved.length:
            raise ValueError(f"{saved.length} positions were saved, not {length}")
        if start and saved.regime != self.regimes[row]:
            raise ValueError(f"row {row} was read in regime {self.regimes[row]}, not in {saved.regime}")
        self.truncate(row, start)
        self.ensure(slots=start + length)
        for tensors, number in ((self.keys, 0), (self.values, 1)):
            for tensor, layer in zip(tensors, saved.layers, strict=True):
                tensor[row, :, start : start + length] = layer[number][:, :length]
        self._holds(row, start + length, regime=saved.regime)

    def spare_slots(self, first: int, end: int) -> list[int] | None:
        """Return a slot of each of the rows first … end - 1, in use or not, that is behind what it holds.

        Something may be written there. None: one is full, or there is no memory for so many rows.
        """
        held = [self.lengths[row] if row < len(self.lengths) else 0 for row in range(first, end)]
        if end > self.rows or max(held, default=0) >= self.slots:
            return None
        for row, slot in zip(range(first, end), held, strict=True):
            self._written[row] = max(self._written[row], slot + 1)
        return held

    def window(self, rows: Sequence[int], counts: Sequence[int]) -> Window:
        """Return what one forward uses as its cache: ``counts`` new tokens for each of the rows."""
        self._known(*rows)
        if len(set(rows)) != len(rows):
            raise ValueError(f"rows {list(rows)} name one row twice")
        if not rows or len(rows) != len(counts) or min(counts) < 1:
            raise ValueError(f"rows {list(rows)} get {list(counts)} new tokens: at least one each is needed")
        longest = max(self.lengths[row] + count for row, count in zip(rows, counts, strict=True))
        self.ensure(slots=longest)
        window = Window(self, rows, counts, slots=longest)
        for row, end in zip(rows, window.ends, strict=True):  # whatever becomes of the forward
            self._written[row] = max(self._written[row], end)
        return window

    def _holds(self, row: int, length: int, *, regime: int) -> None:
        self.lengths[row], self.regimes[row] = length, regime
        self._written[row] = max(self._written[row], length)

    def _wipe(self, row: int, start: int) -> None:
        """Let a row be zero from a slot on."""
        if start < self._written[row]:
            for tensor in self.keys + self.values:
                tensor[row, :, start : self._written[row]] = 0
            self._written[row] = start

    def _known(self, *rows: int) -> None:
        for row in rows:
            if not 0 <= row < len(self.lengths):
                raise ValueError(f"there is no row {row}; rows in use: {len(self.lengths)}")


class Window:
    """The cache of one forward, as the library's decoders ask for it.

    Rows get their new keys behind what each holds; attention reads the first ``slots`` slots of the rows.
    The store's lengths stay as they are until ``done``, so that a forward that fails leaves nothing behind.
    """

    is_compileable = False

    def __init__(
        self, store: KeyValueStore, rows: Sequence[int], counts: Sequence[int], *, slots: int
    ) -> None:
        self.store = store
        self.rows = list(rows)
        self.counts = list(counts)
        self.slots = slots
        self.starts = [store.lengths[row] for row in rows]
        # A block of rows is a slice, which copies nothing.
        block = slice(self.rows[0], self.rows[0] + len(self.rows))
        in_block = self.rows == list(range(block.start, block.stop))
        self.picked = block if in_block else torch.tensor(self.rows, device=store.device)
        spans = [range(start, start + count) for start, count in zip(self.starts, counts, strict=True)]
        written = [
            (row, number, slot, step)
            for number, (row, span) in enumerate(zip(self.rows, spans, strict=True))
            for step, slot in enumerate(span)
        ]
        # (4, M): for each new key its row and slot here, its row and step among what the forward brings.
        index = torch.tensor(written, device=store.device).T
        self.row_index, self.batch_index, self.slot_index, self.step_index = index.unbind(0)

    @property
    def ends(self) -> list[int]:
        """How many tokens each row will hold."""
        return [start + count for start, count in zip(self.starts, self.counts, strict=True)]

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *unused: Any, **ignored: Any
    ) -> tuple[Tensor, Tensor]:
        """Write new keys and values (B, kv heads, T, head width); return all (B, kv heads, slots, …)."""
        return self._written(self.store.keys[layer], keys), self._written(self.store.values[layer], values)

    def _written(self, stored: Tensor, new: Tensor) -> Tensor:
        single = new.shape[2] == 1
        fresh = new[:, :, 0] if single else new[self.batch_index, :, self.step_index]  # (M, kv heads, …)
        stored[self.row_index, :, self.slot_index] = fresh
        return stored[self.picked, :, : self.slots]

    def get_seq_length(self, layer: int = 0) -> int:
        """Return how many tokens the fullest of the rows holds."""
        return max(self.starts)

    def get_mask_sizes(self, query_length: int, layer: int = 0) -> tuple[int, int]:
        """Return how many keys attention sees, and at which position they begin."""
        return self.slots, 0

    def get_query_offset(self, layer: int = 0) -> int:
        """Return where the queries of the fullest row begin."""
        return max(self.starts)

    def done(self, *, regime: int = 0) -> None:
        """Let the rows hold what was written."""
        for row, start, count in zip(self.rows, self.starts, self.counts, strict=True):
            self.store.lengths[row] = start + count
            self.store.regimes[row] = regime

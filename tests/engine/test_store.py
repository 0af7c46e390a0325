"""What rows of a store hold, through everything that happens to rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import GemmaConfig, LlamaConfig

from deixis.engine.store import KeyValueStore, SavedKeys

LAYERS, HEADS, WIDTH = 3, 2, 4


def store_of(*lengths: int, rows: int = 2, slots: int = 4) -> KeyValueStore:
    """Return a store whose rows hold numbers of their own."""
    store = KeyValueStore(
        layers=LAYERS,
        rows=rows,
        heads=HEADS,
        slots=slots,
        head_width=WIDTH,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
    store.add(len(lengths))
    for row, length in enumerate(lengths):
        if length:
            write(store, [row], [length])
    return store


def write(store: KeyValueStore, rows: list[int], counts: list[int], regime: int = 0) -> list[Tensor]:
    """Write random keys and values, right-padded; return what the last layer shows of them."""
    window = store.window(rows, counts)
    shown: tuple[Tensor, ...] = ()
    for layer in range(LAYERS):
        new = torch.randn(2, len(rows), HEADS, max(counts), WIDTH)
        shown = window.update(new[0], new[1], layer)
    window.done(regime=regime)
    return list(shown)


def held(store: KeyValueStore, row: int) -> Tensor:
    """Return all that a row holds (layers, 2, heads, length, width)."""
    saved = store.saved(row)
    return torch.stack([torch.stack(layer) for layer in saved.layers])


def test_memory_is_what_the_decoder_says() -> None:
    gemma = GemmaConfig(
        hidden_size=32, num_attention_heads=4, num_key_value_heads=1, head_dim=16, num_hidden_layers=2
    )
    store = KeyValueStore.for_decoder(
        gemma, rows=3, slots=5, device=torch.device("cpu"), dtype=torch.bfloat16
    )
    assert [tuple(keys.shape) for keys in store.keys] == [(3, 1, 5, 16)] * 2
    assert store.nbytes == 2 * 2 * 3 * 5 * 16 * 2
    llama = LlamaConfig(hidden_size=32, num_attention_heads=4, num_hidden_layers=1)
    on_meta = KeyValueStore.for_decoder(
        llama, rows=1, slots=2, device=torch.device("meta"), dtype=torch.float32
    )
    assert on_meta.device.type == on_meta.positions.device.type == "meta"
    assert on_meta.keys[0].shape == (1, 4, 2, 8)


def test_new_keys_come_behind_what_each_row_holds() -> None:
    store = store_of(3, 1, rows=2, slots=8)
    before = held(store, 0), held(store, 1)
    window = store.window([0, 1], [2, 4])
    new = torch.randn(2, HEADS, 4, WIDTH)
    keys, _ = window.update(new, new, 1)
    assert store.lengths == [3, 1], "not yet"
    window.done()
    assert store.lengths == [5, 5]
    assert keys.shape == (2, HEADS, 5, WIDTH)
    assert keys[0, :, :3].equal(before[0][1, 0]) and keys[0, :, 3:].equal(new[0, :, :2])
    assert keys[1, :, :1].equal(before[1][1, 0]) and keys[1, :, 1:].equal(new[1])


def test_padding_is_not_written() -> None:
    store = store_of(0, 0, slots=6)
    write(store, [0, 1], [2, 6])
    assert not store.keys[0][0, :, 2:].any()


def test_rows_in_any_order() -> None:
    store = store_of(1, 2, 3, rows=3, slots=8)
    before = [held(store, row) for row in range(3)]
    keys, values = write(store, [2, 0], [1, 2])
    assert keys[0, :, :3].equal(before[2][2, 0]) and values[1, :, :1].equal(before[0][2, 1])
    assert held(store, 0)[2, 0].equal(keys[1, :, :3]) and held(store, 2)[2, 1].equal(values[0, :, :4])
    assert held(store, 1).equal(before[1])


def test_freeing_moves_the_last_row() -> None:
    store = store_of(1, 2, 3)
    last, middle = held(store, 2), held(store, 1)
    assert store.free(0) == 2
    assert store.lengths == [3, 2]
    assert held(store, 0).equal(last) and held(store, 1).equal(middle)
    assert store.free(1) is None
    assert store.lengths == [3] and held(store, 0).equal(last)
    store.add(2)
    assert not store.keys[0][1:].any(), "nothing is left of rows that are gone"


def test_whoever_gets_a_row_finds_nothing_of_those_before() -> None:
    store = store_of(3, 2, 1, slots=8)
    write(store, [2], [4])
    window = store.window([2], [3])  # a forward that fails
    nan = torch.full((1, HEADS, 3, WIDTH), float("nan"))
    window.update(nan, nan, 0)
    store.swap(0, 2)
    store.copy(1, 0)
    assert store.lengths == [2, 2, 3] and not store.keys[0][0, :, 2:].any()
    store.free(0)
    store.resize(rows=4, slots=9)
    store.add(2)
    assert store.lengths == [3, 2, 0, 0] and not store.keys[0][2:].any()


def test_a_row_of_another_store_is_shared() -> None:
    store, other = store_of(2, 5, slots=8), store_of(0, 1, slots=2)
    other.share(1, 0, 4, of=store)
    assert other.lengths == [4, 1] and held(other, 0).equal(held(store, 1)[..., :4, :])
    with pytest.raises(ValueError, match="row 1 holds 1 tokens, row 0 2, not 3"):
        other.share(0, 1, 3, of=store)


def test_a_longer_row_moves_into_a_shorter_ones_place_and_the_other_way_round() -> None:
    for lengths in ((1, 4), (4, 1)):
        store = store_of(*lengths)
        last = held(store, 1)
        store.free(0)
        assert held(store, 0).equal(last)
        assert not store.values[2][0, :, lengths[1] :].any()


def test_forks_go_their_own_ways() -> None:
    store = store_of(2, 3)
    before = held(store, 0)
    assert list(store.fork(0, 3)) == [2, 3, 4]
    assert store.lengths == [2, 3, 2, 2, 2]
    write(store, [3], [2])
    assert store.lengths == [2, 3, 2, 4, 2]
    for row in (0, 2, 4):
        assert held(store, row).equal(before)
    assert held(store, 3)[..., :2, :].equal(before)


def test_a_row_copied_over_another() -> None:
    store = store_of(2, 4)
    store.copy(0, 1)
    assert store.lengths == [2, 2] and held(store, 1).equal(held(store, 0))
    assert not store.keys[1][1, :, 2:].any()
    store.copy(1, 1)
    assert store.lengths == [2, 2] and held(store, 1).equal(held(store, 0))


def test_growing_keeps_what_rows_hold_and_doubles() -> None:
    store = store_of(3, 4, rows=2, slots=4)
    before = [held(store, row) for row in range(2)]
    store.ensure(rows=3)
    assert (store.rows, store.slots) == (4, 4)
    store.ensure(slots=5)
    assert (store.rows, store.slots) == (4, 8)
    store.ensure(rows=20, slots=100)
    assert (store.rows, store.slots, len(store.positions)) == (20, 100, 100)
    memory = store.keys[0].data_ptr()
    store.ensure(rows=20, slots=99)
    assert store.keys[0].data_ptr() == memory
    assert [held(store, row).equal(old) for row, old in enumerate(before)] == [True, True]


def test_what_was_saved_comes_back_in_another_row() -> None:
    store = store_of(5, 3, slots=8)
    before = held(store, 0)
    saved = store.saved(0, 0, 4)
    assert (saved.length, saved.nbytes) == (4, LAYERS * 2 * HEADS * 4 * WIDTH * 4)
    write(store, [0], [2])
    store.truncate(0, 0)
    assert saved.layers[0][0].any(), "a copy, not a view"
    store.load(1, saved)
    assert store.lengths == [0, 4] and held(store, 1).equal(before[..., :4, :])
    store.load(0, saved, length=2)
    assert store.lengths == [2, 4] and held(store, 0).equal(before[..., :2, :])


def test_stretches_are_put_together() -> None:
    store = store_of(7, slots=8)
    before = held(store, 0)
    first, second = store.saved(0, 0, 3), store.saved(0, 3)
    row = store.add()[0]
    store.load(row, first)
    store.load(row, second, start=3)
    assert held(store, row).equal(before)
    store.load(row, second, start=3, length=1)
    assert held(store, row).equal(before[..., :4, :])


def test_loading_grows_the_store() -> None:
    large, small = store_of(9, slots=9), store_of(0, slots=2)
    small.load(0, large.saved(0))
    assert held(small, 0).equal(held(large, 0))


def test_the_regime_of_keys_goes_where_they_go() -> None:
    store = store_of(0, 2)
    write(store, [0], [3], regime=1)
    assert store.regimes == [1, 0]
    saved = store.saved(0)
    assert saved.regime == 1
    store.fork(0, 1)
    assert store.regimes == [1, 0, 1]
    store.free(1)
    assert store.regimes == [1, 1]
    store.truncate(1, 0)
    store.load(1, SavedKeys(saved.layers, regime=0))
    assert store.regimes == [1, 0]
    with pytest.raises(ValueError, match="row 1 was read in regime 0, not in 1"):
        store.load(1, saved, start=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda store: store.free(2), "no row 2; rows in use: 2"),
        (lambda store: store.fork(-1, 1), "no row -1"),
        (lambda store: store.truncate(0, 4), "holds 3 tokens and can't be cut to 4"),
        (lambda store: store.saved(0, 1, 4), "holds 3 tokens; there are no positions 1 … 4"),
        (lambda store: store.load(1, store.saved(0), length=4), "3 positions were saved, not 4"),
        (lambda store: store.load(1, store.saved(0), start=2), "holds 1 tokens and can't be cut to 2"),
        (lambda store: store.window([0, 0], [1, 1]), "name one row twice"),
        (lambda store: store.window([0, 1], [1, 0]), "at least one each is needed"),
        (lambda store: store.window([], []), "at least one each is needed"),
    ],
)
def test_what_can_not_be_done_is_said(call, message: str) -> None:
    store = store_of(3, 1)
    before = held(store, 0)
    with pytest.raises(ValueError, match=message):
        call(store)
    assert store.lengths == [3, 1] and held(store, 0).equal(before)

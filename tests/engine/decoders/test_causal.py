"""Rows of different lengths, read and stepped together, against each row alone without any cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import (
    GemmaConfig,
    GemmaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaModel,
    Phi3Config,
    Phi3ForCausalLM,
)

from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.decoders.masks import reading_mask
from deixis.engine.store import KeyValueStore
from deixis.errors import UsageError
from deixis.text.packing import packed_attention, picture_weight

SMALL = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "pad_token_id": 0,
}
SWITCH = 16


def long_rope(**more: Any) -> Phi3Config:
    short, long = [1.0 + 0.1 * number for number in range(4)], [2.0 + 3.0 * number for number in range(4)]
    return Phi3Config(
        **SMALL,
        sliding_window=None,
        original_max_position_embeddings=SWITCH,
        rope_scaling={"type": "longrope", "short_factor": short, "long_factor": long},
        **more,
    )


def tiny(kind: str) -> Any:
    torch.manual_seed(0)
    if kind == "gemma":
        return GemmaForCausalLM(GemmaConfig(**SMALL, head_dim=16)).eval()
    if kind == "phi3":
        return Phi3ForCausalLM(Phi3Config(**SMALL, sliding_window=None)).eval()
    if kind == "phi3-window":
        return Phi3ForCausalLM(Phi3Config(**SMALL, sliding_window=6)).eval()
    if kind == "phi3-long":
        return Phi3ForCausalLM(long_rope()).eval()
    heads = {"llama": 4, "llama-grouped": 2}[kind]
    return LlamaForCausalLM(LlamaConfig(**(SMALL | {"num_key_value_heads": heads}))).eval()


KINDS = ("llama", "llama-grouped", "gemma", "phi3", "phi3-window")


def drawn(count: int, width: int = 32) -> Tensor:
    return torch.randn(count, width)


@torch.no_grad()
def alone(model: Any, vectors: Tensor) -> Tensor:
    """Return hidden states (T, D) of one row by the library, without cache and without a mask of ours."""
    return model.model(inputs_embeds=vectors[None], use_cache=False).last_hidden_state[0]


@dataclass
class Followed:
    """A store and, beside it, everything that each row has read."""

    model: Any
    decoder: CausalDecoder
    store: KeyValueStore
    seen: list[Tensor] = field(default_factory=list)

    def read(self, rows: list[int], counts: list[int]) -> None:
        vectors = [drawn(count) for count in counts]
        hidden = self.decoder.read(self.store, rows, vectors)
        for row, new in zip(rows, vectors, strict=True):
            self.seen[row] = torch.cat([self.seen[row], new])
        self.check(rows, hidden)

    def step(self, rows: list[int] | range) -> None:
        vectors = drawn(len(rows))
        hidden = self.decoder.step(self.store, rows, vectors)
        for row, new in zip(rows, vectors, strict=True):
            self.seen[row] = torch.cat([self.seen[row], new[None]])
        self.check(rows, hidden)

    def check(self, rows: list[int] | range, hidden: Tensor) -> None:
        assert self.store.lengths == [len(one) for one in self.seen]
        for row, state in zip(rows, hidden, strict=True):
            expected = alone(self.model, self.seen[row])[-1]
            torch.testing.assert_close(state, expected, atol=1e-5, rtol=1e-5)

    def add(self, count: int) -> None:
        self.store.add(count)
        self.seen += [drawn(0)] * count

    def free(self, row: int) -> None:
        moved = self.store.free(row)
        last = self.seen.pop()
        if moved is None:
            assert row == len(self.seen)
        else:
            assert moved == len(self.seen)
            self.seen[row] = last

    def fork(self, row: int, count: int) -> None:
        assert list(self.store.fork(row, count)) == list(range(len(self.seen), len(self.seen) + count))
        self.seen += [self.seen[row]] * count


def followed(kind: str, *, rows: int = 2, slots: int = 8) -> Followed:
    model = tiny(kind)
    decoder = CausalDecoder(model)
    return Followed(model, decoder, decoder.new_store(rows, slots))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_read_and_stepped_together_are_each_row_alone(kind: str) -> None:
    it = followed(kind)
    it.add(3)
    it.read([0, 1, 2], [5, 1, 9])
    for number in range(20):
        it.step(range(len(it.seen)))
        if number == 3:
            it.free(0)
        if number == 6:
            it.fork(1, 2)
        if number == 9:
            it.add(1)
            it.read([len(it.seen) - 1], [12])
        if number == 12:
            it.free(len(it.seen) - 1)
            it.free(1)
        if number == 15:
            it.read([2, 0], [3, 2])  # out of order, behind what they hold
    it.step([2, 0])
    it.step([1, 2])
    assert it.store.rows >= 4 and it.store.slots >= 30


@pytest.mark.parametrize("kind", KINDS)
def test_all_states_of_a_read_are_those_of_the_row(kind: str) -> None:
    model = tiny(kind)
    decoder = CausalDecoder(model)
    store = decoder.new_store(2, 4)
    vectors = [drawn(3), drawn(7)]
    states = decoder.states(store, store.add(2), vectors)
    for hidden, one in zip(states, vectors, strict=True):
        torch.testing.assert_close(hidden[: len(one)], alone(model, one), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ("llama", "gemma", "phi3"))
def test_words_and_logits_are_those_of_the_model(kind: str) -> None:
    model = tiny(kind)
    decoder = CausalDecoder(model)
    ids = [3, 1, 4, 1, 5]
    store = decoder.new_store(1, 8)
    states = decoder.states(store, store.add(1), [decoder.words(ids)])
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([ids]), use_cache=False).logits
    torch.testing.assert_close(decoder.logits(states), expected, atol=1e-4, rtol=1e-5)


def picture_reference(model: Any, vectors: Tensor, picture: int) -> Tensor:
    """Return hidden states (T, D) of one row with the mask of the packed form: picture first, then text."""
    segments = torch.tensor([[0] * picture + [1] * (len(vectors) - picture)])
    mask = packed_attention(segments, dtype=torch.float32)
    with torch.no_grad():
        output = model.model(inputs_embeds=vectors[None], attention_mask=mask, use_cache=False)
    return output.last_hidden_state[0]


@pytest.mark.parametrize("kind", ("llama", "llama-grouped", "gemma"))
@pytest.mark.parametrize("apart", (False, True))
def test_a_picture_in_front_is_read_in_both_directions_and_weighs_as_one_word(kind: str, apart: bool) -> None:
    model = tiny(kind)
    decoder = CausalDecoder(model)
    store = decoder.new_store(3, 8)
    rows = store.add(3)
    pictures, texts = (6, 0, 4), (3, 5, 7)
    vectors = [drawn(picture + text) for picture, text in zip(pictures, texts, strict=True)]
    bias = [picture_weight(torch.tensor(count)).expand(count) if count else None for count in pictures]
    rest = vectors
    if apart:  # the pictures first, then the texts behind them
        with_picture = [row for row in rows if pictures[row]]
        first = decoder.states(
            store,
            with_picture,
            [vectors[row][: pictures[row]] for row in with_picture],
            prefix=[pictures[row] for row in with_picture],
            key_bias=[bias[row] for row in with_picture],
        )
        expected = picture_reference(model, vectors[2], 4)[:4]
        torch.testing.assert_close(first[1, :4], expected, atol=1e-5, rtol=1e-5)
        rest = [vectors[row][pictures[row] :] for row in rows]
    hidden = decoder.read(store, rows, rest, prefix=pictures, key_bias=bias)
    for _ in range(4):
        for row in rows:
            expected = picture_reference(model, vectors[row], pictures[row])[-1]
            torch.testing.assert_close(hidden[row], expected, atol=1e-5, rtol=1e-5)
        more = drawn(3)
        vectors = [torch.cat([one, new[None]]) for one, new in zip(vectors, more, strict=True)]
        hidden = decoder.step(store, rows, more, key_bias=bias)


def test_weights_of_keys_are_for_queries_behind_the_prefix() -> None:
    model = tiny("llama")
    decoder = CausalDecoder(model)
    bias, vectors = torch.randn(5), drawn(7)  # one word of the text is weighed, too
    seen = torch.ones(7, 7).tril().bool()
    seen[:4, :4] = True
    mask = torch.zeros(7, 7)
    mask[4:, :5] = bias
    mask = mask.masked_fill(~seen, torch.finfo(torch.float32).min)[None, None]
    with torch.no_grad():
        expected = model.model(inputs_embeds=vectors[None], attention_mask=mask, use_cache=False)
    store = decoder.new_store(1, 8)
    states = decoder.states(store, store.add(), [vectors], prefix=[4], key_bias=[bias])
    torch.testing.assert_close(states, expected.last_hidden_state, atol=1e-5, rtol=1e-5)


def test_the_weights_of_keys_follow_the_rows_of_each_step() -> None:
    model = tiny("llama")
    decoder = CausalDecoder(model)
    store = decoder.new_store(2, 8)
    vectors = [drawn(5), drawn(6)]
    bias = [picture_weight(torch.tensor(4)).expand(4), None]
    decoder.read(store, store.add(2), vectors, prefix=[4, 0], key_bias=bias)
    for order in ([0, 1], [1, 0], [1], [0]):
        more = drawn(len(order))
        hidden = decoder.step(store, order, more, key_bias=[bias[row] for row in order])
        for row, new, state in zip(order, more, hidden, strict=True):
            vectors[row] = torch.cat([vectors[row], new[None]])
            expected = picture_reference(model, vectors[row], 4 if row == 0 else 0)[-1]
            torch.testing.assert_close(state, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("held", "count"), [(0, 3), (2, 6)])
def test_half_a_prefix_is_refused(held: int, count: int) -> None:
    decoder = CausalDecoder(tiny("llama"))
    store = decoder.new_store(1, 8)
    store.add()
    if held:
        decoder.read(store, [0], [drawn(held)])
    with pytest.raises(ValueError, match=r"first 4 positions of row 0 .* read at once"):
        decoder.read(store, [0], [drawn(count)], prefix=[4])
    assert store.lengths == [held]


@pytest.mark.parametrize("count", (SWITCH - 3, SWITCH, SWITCH + 1, SWITCH + 9))
def test_long_rope_reads_as_the_library_does_without_cache(count: int) -> None:
    model = tiny("phi3-long")
    decoder = CausalDecoder(model)
    store = decoder.new_store(2, 8)
    vectors = [drawn(count), drawn(count + 2)] if count != SWITCH - 3 else [drawn(count), drawn(2)]
    if decoder.regime(count) != decoder.regime(count + 2):
        vectors.pop()
    hidden = decoder.read(store, store.add(len(vectors)), vectors)
    for one, state in zip(vectors, hidden, strict=True):
        torch.testing.assert_close(state, alone(model, one)[-1], atol=1e-5, rtol=1e-5)


def test_padding_does_not_reach_beyond_the_switch() -> None:
    model = tiny("phi3-long")
    decoder = CausalDecoder(model)
    store = decoder.new_store(2, 8)
    store.add(2)
    first, rest, other = drawn(10), drawn(2), drawn(SWITCH)
    decoder.read(store, [0], [first])
    hidden = decoder.read(store, [0, 1], [rest, other])
    for vectors, state in ((torch.cat([first, rest]), hidden[0]), (other, hidden[1])):
        torch.testing.assert_close(state, alone(model, vectors)[-1], atol=1e-5, rtol=1e-5)


def test_rows_on_both_sides_of_the_switch_do_not_share_a_forward() -> None:
    decoder = CausalDecoder(tiny("phi3-long"))
    assert [decoder.regime(length) for length in (1, SWITCH, SWITCH + 1)] == [0, 0, 1]
    store = decoder.new_store(2, 8)
    rows = store.add(2)
    with pytest.raises(ValueError, match="can't share a forward"):
        decoder.read(store, rows, [drawn(3), drawn(SWITCH + 1)])
    assert store.lengths == [0, 0]
    decoder.read(store, [0], [drawn(SWITCH - 1)])
    decoder.read(store, [1], [drawn(SWITCH + 1)])
    with pytest.raises(ValueError, match="can't share a forward"):
        decoder.step(store, rows, drawn(2))


def test_a_row_that_crosses_the_switch_is_read_anew() -> None:
    model = tiny("phi3-long")
    decoder = CausalDecoder(model)
    store = decoder.new_store(1, 8)
    vectors = drawn(SWITCH)
    decoder.read(store, store.add(), [vectors])
    new = drawn(1)
    with pytest.raises(ValueError, match="read it anew"):
        decoder.step(store, [0], new)
    store.truncate(0, 0)
    vectors = torch.cat([vectors, new])
    hidden = decoder.read(store, [0], [vectors])
    for _ in range(4):
        torch.testing.assert_close(hidden[0], alone(model, vectors)[-1], atol=1e-5, rtol=1e-5)
        new = drawn(1)
        vectors = torch.cat([vectors, new])
        hidden = decoder.step(store, [0], new)
    store.truncate(0, 4)  # short again, but its keys are not
    with pytest.raises(ValueError, match="read it anew"):
        decoder.step(store, [0], drawn(1))


def test_a_decoder_without_a_switch_has_one_regime() -> None:
    assert CausalDecoder(tiny("llama")).regime(10**9) == 0


def test_frequencies_that_change_with_every_length_are_refused() -> None:
    config = LlamaConfig(**SMALL, rope_scaling={"rope_type": "dynamic", "factor": 2.0})
    with pytest.raises(UsageError, match="'dynamic' changes its frequencies"):
        CausalDecoder(LlamaForCausalLM(config))


def test_parts_that_are_given_take_the_place_of_the_models() -> None:
    model = tiny("llama")
    table = nn.Embedding(9, 32)
    body = LlamaModel(LlamaConfig(**SMALL))
    decoder = CausalDecoder(
        body=body, head=lambda hidden: hidden @ table.weight.T, words=table, config=body.config
    )
    assert (decoder.width, decoder.positions, decoder.dtype) == (32, 128, torch.float32)
    assert decoder.words([1, 2]).equal(table.weight[1:3])
    assert decoder.logits(drawn(2)).shape == (2, 9)
    assert CausalDecoder(model, words=table).words(torch.tensor([[4]])).equal(table.weight[None, 4:5])
    assert CausalDecoder(model, words=table).logits(drawn(2)).shape == (2, 50)


@pytest.mark.parametrize("kind", ("llama-grouped", "gemma", "phi3", "phi3-long"))
def test_half_precision(kind: str) -> None:
    model = tiny(kind).to(torch.bfloat16)
    decoder = CausalDecoder(model)
    store = decoder.new_store(2, 8)
    assert store.keys[0].dtype == torch.bfloat16
    vectors = [drawn(5).bfloat16(), drawn(9).bfloat16()]
    bias = [picture_weight(torch.tensor(4)).expand(4), None]
    hidden = decoder.read(store, store.add(2), vectors, prefix=[4, 0], key_bias=bias)
    assert hidden.dtype == torch.bfloat16
    torch.testing.assert_close(hidden[1], alone(model, vectors[1])[-1], atol=0.1, rtol=0.1)
    hidden = decoder.step(store, range(2), drawn(2).bfloat16(), key_bias=bias)
    assert hidden.isfinite().all() and decoder.logits(hidden).dtype == torch.bfloat16


def test_what_is_not_finite_stays_in_its_row() -> None:
    it = followed("llama")
    it.add(2)
    it.decoder.read(it.store, [0], [torch.full((6, 32), float("nan"))])
    it.seen[0] = drawn(6)
    it.read([1], [3])
    it.free(0)
    it.step([0])
    it.add(1)
    it.read([1], [2])  # in the memory of the row that was freed, or beside it
    it.read([0, 1], [1, 5])


def test_a_forward_that_fails_leaves_the_rows_as_they_were() -> None:
    it = followed("llama")
    it.add(2)
    it.read([0, 1], [3, 4])
    hook = it.model.model.layers[2].register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        it.decoder.read(it.store, [0, 1], [drawn(2), drawn(5)])
    hook.remove()
    it.step([0, 1])


@pytest.mark.parametrize("slots", (30, 15))  # enough, or enough after it has grown
def test_works_in_and_out_of_inference_mode(slots: int) -> None:
    with torch.inference_mode():
        made = followed("llama", slots=slots)
        made.add(1)
        made.read([0], [6])
        made.read([0], [14])
    model = tiny("llama")
    it = Followed(model, CausalDecoder(model), made.store, [one.clone() for one in made.seen])
    it.step([0])
    assert it.store.slots == 30
    it.store.free(0)


def test_a_step_makes_no_copies_of_the_keys_of_rows_in_a_block() -> None:
    it = followed("llama", rows=4, slots=32)
    it.add(3)
    it.read([0, 1, 2], [3, 4, 5])
    window = it.store.window([1, 2], [1, 1])
    keys, _ = window.update(torch.zeros(2, 4, 1, 8), torch.zeros(2, 4, 1, 8), 0)
    assert keys.data_ptr() == it.store.keys[0][1].data_ptr()
    assert keys.shape == (2, 4, 6, 8)


class OneDevice(TorchDispatchMode):
    """Refuses tensors of the CPU, save single numbers: everything must be on the decoder's device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, Tensor) and leaf.dim():
                assert leaf.device.type == "meta", f"{func} has a tensor of {leaf.device}"
        return result


def test_the_double_finds_a_tensor_on_another_device() -> None:
    with OneDevice(), pytest.raises(AssertionError, match="has a tensor of cpu"):
        torch.zeros(3, device="meta")[torch.tensor([1])]


@pytest.mark.parametrize("kind", ("llama-grouped", "gemma", "phi3", "phi3-window"))
def test_everything_is_on_the_decoders_device(kind: str) -> None:
    decoder = CausalDecoder(tiny(kind).to("meta"))
    with OneDevice():
        store = decoder.new_store(1, 2)
        vectors = [torch.zeros(count, 32, device="meta") for count in (5, 2, 4)]
        bias = [torch.zeros(4, device="meta"), None, None]
        decoder.read(store, store.add(3), vectors, prefix=[4, 0, 0], key_bias=bias)
        store.free(0)
        store.fork(1, 2)
        hidden = decoder.step(store, [3, 0], decoder.words([1, 2]))
        store.load(store.add()[0], store.saved(2))
        decoder.step(store, range(5), torch.zeros(5, 32, device="meta"), key_bias=[bias[0]] + [None] * 4)
        assert decoder.logits(hidden).device.type == store.device.type == "meta"


def test_masks_are_on_the_device_of_their_keys() -> None:
    keys = torch.arange(8, device="meta")
    queries = torch.zeros(2, 3, dtype=torch.long, device="meta")
    prefix = torch.zeros(2, 1, dtype=torch.long, device="meta")
    mask = reading_mask(
        queries, keys, prefix=prefix, bias=torch.zeros(2, 4, device="meta"), reach=3, dtype=torch.bfloat16
    )
    assert (mask.device.type, mask.dtype, mask.shape) == ("meta", torch.bfloat16, (2, 1, 3, 8))

"""Rows of different lengths share a forward without padding; that of each is as if it were alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.decoders.ragged import RaggedWindow
from deixis.layers.language.llama_body import BodySize, LlamaBody
from tests.engine.decoders.test_causal import Followed, drawn, tiny

KINDS = ("llama", "llama-grouped", "gemma", "phi3", "phi3-window", "phi3-long")


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_some_rows_and_a_stretch_of_others(kind: str) -> None:
    model = tiny(kind)
    it = Followed(model, CausalDecoder(model), CausalDecoder(model).new_store(2, 8))
    it.add(5)
    it.read([0, 1, 2, 3, 4], [4, 4, 4, 1, 2])
    it.read([0, 1, 2, 3], [1, 1, 1, 6])
    it.read([1, 2, 4, 0], [1, 1, 5, 1])
    it.read([3, 0], [2, 1])
    it.step(range(5))


def test_no_vector_is_read_that_is_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = CausalDecoder(tiny("llama"))
    read: list[int] = []
    body = decoder._body

    def noting(embeds: Any, *more: Any, **named: Any) -> Any:
        read.append(embeds.shape[0] * embeds.shape[1])
        return body(embeds, *more, **named)

    monkeypatch.setattr(decoder, "_body", noting)
    store = decoder.new_store(4, 8)
    decoder.read(store, store.add(4), [drawn(1), drawn(1), drawn(30), drawn(1)])
    assert read == [33] and store.lengths == [1, 1, 30, 1]


def test_rows_side_by_side_that_get_equally_many_are_attended_to_at_once() -> None:
    decoder = CausalDecoder(tiny("llama"))
    store = decoder.new_store(6, 8)
    store.add(6)
    window = RaggedWindow(store.window([0, 1, 2, 4, 5, 3], [1, 1, 7, 1, 1, 1]))
    assert [list(one) for one in window.alike()] == [[0, 1], [2], [3, 4], [5]]


def test_our_own_body_reads_them_too() -> None:
    torch.manual_seed(0)
    size = BodySize(32, 48, 2, 4, 64)
    body = LlamaBody(size).eval()
    decoder = CausalDecoder(body=body, head=nn.Identity(), words=nn.Identity(), config=size)
    store = decoder.new_store(3, 8)
    vectors = [drawn(5), drawn(2), drawn(9)]
    hidden = decoder.read(store, store.add(3), vectors)
    for state, one in zip(hidden, vectors, strict=True):
        with torch.no_grad():
            expected = body(inputs_embeds=one[None]).last_hidden_state[0, -1]
        torch.testing.assert_close(state, expected, atol=1e-5, rtol=1e-5)


def test_the_library_attends_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("llama")
    decoder, config = CausalDecoder(model), model.model.config
    before = config._attn_implementation
    store = decoder.new_store(2, 8)
    decoder.read(store, store.add(2), [drawn(3), drawn(5)])
    assert config._attn_implementation == before

    def broken(*given: Any, **more: Any) -> Any:
        assert config._attn_implementation != before
        raise ValueError("no memory")

    monkeypatch.setattr(decoder, "body", Broken(config, broken))
    with pytest.raises(ValueError, match="no memory"):
        decoder.read(store, [0, 1], [drawn(3), drawn(5)])
    assert config._attn_implementation == before and store.lengths == [3, 5]


class Broken(nn.Module):
    """A body that calls a function."""

    def __init__(self, config: Any, forward: Any) -> None:
        super().__init__()
        self.config, self.forward = config, forward
        self.weight = nn.Parameter(torch.zeros(1))


def test_a_body_that_attends_in_a_way_of_its_own_is_refused() -> None:
    """Its rows would see each other."""

    class Own(LlamaBody):
        def forward(self, **given: Any) -> Any:
            return super().forward(**{**given, "cache": None})

    size = BodySize(32, 48, 2, 4, 64)
    decoder = CausalDecoder(body=Own(size).eval(), head=nn.Identity(), words=nn.Identity(), config=size)
    store = decoder.new_store(2, 8)
    store.add(2)
    with pytest.raises(RuntimeError, match="0 of 2 layers of Own attend"):
        decoder.read(store, [0, 1], [drawn(3), drawn(5)])
    assert store.lengths == [0, 0], "and nothing is held"

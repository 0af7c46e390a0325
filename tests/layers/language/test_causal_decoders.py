"""Decoders by their settings, and what their word vectors are multiplied by."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from deixis.engine.decoders.causal import CausalDecoder
from deixis.errors import UsageError
from deixis.layers.language.causal_decoders import (
    DECODERS,
    VICUNA_7B,
    build_decoder,
    decoder_config,
    regime_switch,
    window_of,
    word_scale,
)

SMALL = {
    "vocab_size": 11,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "pad_token_id": 0,
}


@pytest.mark.parametrize("kind", DECODERS)
def test_scaled_vectors_are_what_the_decoder_makes_of_ids(kind: str) -> None:
    decoder: Any = build_decoder({"model_type": kind, **SMALL}).eval()
    ids, table = torch.tensor([[3, 1, 4]]), decoder.get_input_embeddings()
    words = table.weight[ids] * word_scale(decoder)
    with torch.no_grad():
        torch.testing.assert_close(decoder(inputs_embeds=words).logits, decoder(input_ids=ids).logits)
    assert word_scale(decoder) == (4.0 if kind == "gemma" else 1.0)


@pytest.mark.parametrize("kind", DECODERS)
def test_a_small_decoder_answers(kind: str) -> None:
    """The likeliest tokens, one by one, are what the library's own ``generate`` writes."""
    torch.manual_seed(0)
    config = {"model_type": kind, **SMALL, "num_hidden_layers": 2, "initializer_range": 0.5}
    model: Any = build_decoder(config | {"eos_token_id": None, "max_position_embeddings": 64}).eval()
    prompt = [3, 1, 4, 1, 5]
    expected = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, 5), max_new_tokens=12, do_sample=False
    )
    decoder = CausalDecoder(model)
    store = decoder.new_store(1, 4)
    hidden, ids = decoder.read(store, store.add(), [decoder.words(prompt)]), list(prompt)
    for _ in range(12):
        ids.append(int(decoder.logits(hidden).argmax()))
        hidden = decoder.step(store, [0], decoder.words(ids[-1:]))
    assert ids == expected[0].tolist()
    assert len(set(ids[5:])) > 2, "the test would not see a decoder that says one word for ever"


PHI_3_LONG = {
    "model_type": "phi3",
    **SMALL,
    "max_position_embeddings": 131072,
    "original_max_position_embeddings": 4096,
    "sliding_window": 262144,
}


def test_the_switch_of_long_rope_is_where_the_settings_say() -> None:
    scaling = {"type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2.0] * 4}
    config = decoder_config(PHI_3_LONG | {"rope_scaling": scaling})
    assert (regime_switch(config), window_of(config)) == (4096, 262144)


@pytest.mark.parametrize("kind", DECODERS)
def test_other_decoders_have_no_switch(kind: str) -> None:
    assert regime_switch(decoder_config({"model_type": kind, **SMALL})) is None


def test_a_window_counts_for_the_decoder_that_has_one() -> None:
    windows = [
        window_of(decoder_config({"model_type": kind, **SMALL, "sliding_window": 5})) for kind in DECODERS
    ]
    assert dict(zip(DECODERS, windows, strict=True)) == {"llama": None, "gemma": None, "phi3": 5}


def test_a_window_that_a_llama_carries_along_is_not_used() -> None:
    torch.manual_seed(0)
    model: Any = build_decoder({"model_type": "llama", **SMALL, "sliding_window": 2}).eval()
    decoder, vectors = CausalDecoder(model), torch.randn(6, 16)
    store = decoder.new_store(1, 6)
    hidden = decoder.read(store, store.add(), [vectors])
    with torch.no_grad():
        expected = model.model(inputs_embeds=vectors[None]).last_hidden_state[:, -1]
    torch.testing.assert_close(hidden, expected, atol=1e-5, rtol=1e-5)


def test_rope_is_taken_over() -> None:
    config: Any = decoder_config({"model_type": "llama", **SMALL, "rope_theta": 500000.0})
    assert config.rope_parameters["rope_theta"] == 500000.0


def test_vicuna_knows_one_more_word() -> None:
    config: Any = decoder_config(VICUNA_7B)
    assert (config.vocab_size, config.hidden_size, config.num_hidden_layers) == (32001, 4096, 32)


@pytest.mark.parametrize("settings", [{}, {"model_type": "mpt"}])
def test_unknown_decoders(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="known: llama, gemma, phi3"):
        build_decoder(settings)


def test_stretched_positions_by_their_first_name() -> None:
    scaling = {"short_factor": [1.0] * 8, "long_factor": [2.0] * 8}
    fields = {"model_type": "phi3", "hidden_size": 32, "num_attention_heads": 2, "pad_token_id": 0}
    lengths = {"max_position_embeddings": 512, "original_max_position_embeddings": 128}
    for name in ("type", "rope_type"):
        first = decoder_config(fields | lengths | {"rope_scaling": {name: "su", **scaling}})
        today = decoder_config(fields | lengths | {"rope_scaling": {name: "longrope", **scaling}})
        assert first.rope_parameters == today.rope_parameters
        assert first.rope_parameters["rope_type"] == "longrope"

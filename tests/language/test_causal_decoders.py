"""Decoders by their settings, and what their word vectors are multiplied by."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from deixis.errors import UsageError
from deixis.language.causal_decoders import VICUNA_7B, build_decoder, decoder_config, word_scale

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


@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_scaled_vectors_are_what_the_decoder_makes_of_ids(kind: str) -> None:
    decoder: Any = build_decoder({"model_type": kind, **SMALL}).eval()
    ids, table = torch.tensor([[3, 1, 4]]), decoder.get_input_embeddings()
    words = table.weight[ids] * word_scale(decoder)
    with torch.no_grad():
        torch.testing.assert_close(decoder(inputs_embeds=words).logits, decoder(input_ids=ids).logits)
    assert word_scale(decoder) == (1.0 if kind == "llama" else 4.0)


def test_rope_is_taken_over() -> None:
    config: Any = decoder_config({"model_type": "llama", **SMALL, "rope_theta": 500000.0})
    assert config.rope_parameters["rope_theta"] == 500000.0


def test_vicuna_knows_one_more_word() -> None:
    config: Any = decoder_config(VICUNA_7B)
    assert (config.vocab_size, config.hidden_size, config.num_hidden_layers) == (32001, 4096, 32)


@pytest.mark.parametrize("settings", [{}, {"model_type": "mpt"}])
def test_unknown_decoders(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="known: llama, gemma"):
        build_decoder(settings)

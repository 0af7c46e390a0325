"""The cache goes by the name that the installed transformers uses."""

from __future__ import annotations

import inspect

import torch
from transformers import DynamicCache, LlamaConfig, LlamaModel

from deixis.layers.language.cache_argument import cache_name, cache_of, named, past_length


def test_the_decoder_takes_and_returns_the_cache_by_this_name() -> None:
    config = LlamaConfig(
        vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    decoder = LlamaModel(config).eval()
    assert cache_name() in inspect.signature(LlamaModel.forward).parameters
    cache = DynamicCache(config=config)
    assert past_length(None) == past_length(cache) == 0
    output = decoder(input_ids=torch.tensor([[1, 2, 3]]), use_cache=True, **named(cache))
    assert past_length(cache) == 3 and cache_of(output) is cache

"""The body in plain torch is the library's Llama."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import DynamicCache, LlamaConfig, LlamaModel

from deixis.engine.decoders.causal import CausalDecoder
from deixis.layers.language.llama_body import BodySize, LlamaBody

SIZES = {
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
}


def pair(dtype: torch.dtype = torch.float32) -> tuple[LlamaModel, LlamaBody]:
    """Return both with the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = LlamaModel(LlamaConfig(vocab_size=8, initializer_range=0.2, **SIZES)).eval()
    theirs.set_input_embeddings(nn.Identity())
    for norm in [module for name, module in theirs.named_modules() if name.endswith("norm")]:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
    ours = LlamaBody(BodySize(**SIZES)).eval()
    ours.load_state_dict(theirs.state_dict())
    return theirs.to(dtype), ours.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_it_gives_the_same_numbers(dtype: torch.dtype) -> None:
    theirs, ours = pair(dtype)
    vectors = torch.randn(2, 7, 48, dtype=dtype)
    mask = torch.zeros(2, 1, 7, 7, dtype=dtype).masked_fill(
        torch.ones(7, 7, dtype=torch.bool).triu(1), torch.finfo(dtype).min
    )
    positions = torch.tensor([[0, 1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 7, 8, 9]])
    for given in ({}, {"attention_mask": mask, "position_ids": positions}):
        expected = theirs(inputs_embeds=vectors, **given).last_hidden_state
        found = ours(inputs_embeds=vectors, **given).last_hidden_state
        if dtype is torch.float32:
            assert torch.equal(found, expected)
        else:  # the library's frequencies were rounded with everything else, ours never are
            torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


@torch.inference_mode()
def test_it_takes_the_librarys_caches_and_the_loops() -> None:
    theirs, ours = pair()
    vectors = torch.randn(1, 6, 48)
    whole = ours(inputs_embeds=vectors).last_hidden_state
    cache = DynamicCache(config=theirs.config)
    ours(inputs_embeds=vectors[:, :5], cache=cache)
    last = ours(inputs_embeds=vectors[:, 5:], cache=cache, attention_mask=torch.zeros(1, 1, 1, 6))
    torch.testing.assert_close(last.last_hidden_state[:, 0], whole[:, 5], atol=1e-5, rtol=1e-5)
    decoder = CausalDecoder(body=ours, head=nn.Identity(), words=nn.Identity(), config=ours.config)
    store = decoder.new_store(1, 6)
    decoder.read(store, store.add(), [vectors[0, :4]])
    hidden = decoder.read(store, [0], [vectors[0, 4:]])
    torch.testing.assert_close(hidden, whole[:, 5], atol=1e-5, rtol=1e-5)


def test_a_gradient_goes_through() -> None:
    theirs, ours = pair()
    vectors = torch.randn(1, 5, 48)
    for body in (theirs, ours):
        body(inputs_embeds=vectors).last_hidden_state.square().sum().backward()
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4, msg=name)

"""One step of the decoder behind a picture it has read, whose tokens together weigh as much as one word."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import DynamicCache

from deixis.language.caching import named
from deixis.language.packing import additive, picture_weight
from deixis.systems.pointer.model import PointerNetwork


def step(
    network: PointerNetwork, embeds: Tensor, visible: Tensor, positions: Tensor, cache: DynamicCache
) -> Tensor:
    """Feed embeddings (B, T, W) and return hidden states (B, T, W); visible (B, T, keys): who sees what."""
    tokens = network.config.picture_tokens
    weights = torch.zeros(visible.shape[-1])
    weights[:tokens] = picture_weight(torch.tensor(tokens))
    return network.decoder(
        inputs_embeds=embeds,
        attention_mask=additive(visible, weights, dtype=embeds.dtype)[:, None],
        position_ids=positions,
        use_cache=True,
        **named(cache),
    ).last_hidden_state

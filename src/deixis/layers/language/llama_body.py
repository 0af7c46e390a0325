"""The body of a small Llama in plain torch: what ``transformers.LlamaModel`` computes, without its import.

Importing the library's models takes several seconds, most of the time from the shell to a first answer. This
body has the same names of weights and gives the same numbers, bit by bit, which a test asserts;
it reads vectors, has no words of its own, and takes the same caches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6
THETA = 10_000.0

Turns = tuple[Tensor, Tensor]
"""Cosines and sines (B, T, head width) of the angles that positions turn vectors by."""


@dataclass(frozen=True)
class BodySize:
    """The sizes of a body, by the names of ``transformers.LlamaConfig``."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int

    @property
    def num_key_value_heads(self) -> int:
        """As many as heads."""
        return self.num_attention_heads

    @property
    def head_dim(self) -> int:
        """The width of a head."""
        return self.hidden_size // self.num_attention_heads


@dataclass(frozen=True)
class BodyOutput:
    """What a body returns: hidden states (B, T, W) behind its last norm."""

    last_hidden_state: Tensor


class RMSNorm(nn.Module):
    """Root mean square norm (Zhang and Sennrich, 2019), in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, hidden: Tensor) -> Tensor:
        """hidden (..., W)."""
        wide = hidden.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)
        return self.weight * wide.to(hidden.dtype)


class Attention(nn.Module):
    """Attention with rotary positions (Su et al., 2021)."""

    def __init__(self, size: BodySize, *, layer: int) -> None:
        super().__init__()
        self.layer, self.head_dim = layer, size.head_dim
        width = size.hidden_size
        self.q_proj, self.k_proj = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.v_proj, self.o_proj = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)

    def forward(
        self, hidden: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor | None, cache: Any
    ) -> Tensor:
        """hidden (B, T, W); mask (B, 1, T, K), additive. A cache that has rows of its own attends to them."""
        shape = (*hidden.shape[:-1], -1, self.head_dim)
        query, key, value = (
            project(hidden).view(shape).transpose(1, 2)  # (B, heads, T, head width)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = turned(query, *turns), turned(key, *turns)
        if cache is not None:
            key, value = cache.update(key, value, self.layer)
        scale = self.head_dim**-0.5
        attend = getattr(cache, "attend", None)
        if attend is not None:
            seen = attend(query, self.layer, scale=scale)
        else:
            seen = functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, scale=scale, is_causal=mask is None
            ).transpose(1, 2)
        return self.o_proj(seen.contiguous().reshape(hidden.shape).contiguous())


class FeedForward(nn.Module):
    """A gated feed-forward layer."""

    def __init__(self, size: BodySize) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size.hidden_size, size.intermediate_size, bias=False)
        self.up_proj = nn.Linear(size.hidden_size, size.intermediate_size, bias=False)
        self.down_proj = nn.Linear(size.intermediate_size, size.hidden_size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """hidden (..., W)."""
        return self.down_proj(functional.silu(self.gate_proj(hidden)) * self.up_proj(hidden))


class Layer(nn.Module):
    """Attention and feed-forward, each behind a norm and beside a shortcut."""

    def __init__(self, size: BodySize, *, layer: int) -> None:
        super().__init__()
        self.self_attn = Attention(size, layer=layer)
        self.mlp = FeedForward(size)
        self.input_layernorm = RMSNorm(size.hidden_size)
        self.post_attention_layernorm = RMSNorm(size.hidden_size)

    def forward(
        self, hidden: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor | None, cache: Any
    ) -> Tensor:
        """hidden (B, T, W)."""
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), turns, mask, cache)
        return hidden + self.mlp(self.post_attention_layernorm(hidden))


class LlamaBody(nn.Module):
    """The layers of a Llama and its last norm.

    cache_keyword: the name by which ``forward`` takes its cache, whatever the installed transformers says.
    """

    cache_keyword = "cache"

    def __init__(self, size: BodySize) -> None:
        super().__init__()
        self.config = size
        self.layers = nn.ModuleList(Layer(size, layer=n) for n in range(size.num_hidden_layers))
        self.norm = RMSNorm(size.hidden_size)

    def forward(
        self,
        *,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Any = None,
        use_cache: bool = False,
    ) -> BodyOutput:
        """Return the hidden states of vectors (B, T, W) at positions (B, T), under an additive mask.

        Without a mask, every vector sees itself and those before it; without positions they are counted.
        """
        if position_ids is None:
            past = 0 if cache is None else int(cache.get_seq_length())
            position_ids = past + torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device)[None]
        turns = self.turns(position_ids, dtype=inputs_embeds.dtype)
        hidden = inputs_embeds
        for layer in self.layers:
            hidden = layer(hidden, turns, attention_mask, cache)
        return BodyOutput(self.norm(hidden))

    def turns(self, positions: Tensor, *, dtype: torch.dtype) -> Turns:
        """Return the cosines and sines (B, T, head width) of positions (B, T)."""
        width = self.config.head_dim
        steps = torch.arange(0, width, 2, dtype=torch.float, device=positions.device)
        angles = positions[..., None].float() * (1.0 / (THETA ** (steps / width)))
        both = torch.cat((angles, angles), dim=-1)
        return both.cos().to(dtype), both.sin().to(dtype)


def turned(vectors: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Return vectors (B, heads, T, D) turned by their positions' angles (B, T, D)."""
    first, second = vectors.chunk(2, dim=-1)
    across = torch.cat((-second, first), dim=-1)
    return (vectors * cosines[:, None]) + (across * sines[:, None])

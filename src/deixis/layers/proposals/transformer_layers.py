"""The layers of a deformable transformer: one that encodes maps, one that decodes queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.proposals.deformable_attention import DeformableAttention, Shapes

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
}


@dataclass(frozen=True)
class LayerSize:
    """What encoder and decoder layers are built by, each its own."""

    width: int
    heads: int
    points: int
    levels: int
    feed_forward: int
    activation: str = "relu"
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise UsageError(
                f"activation {self.activation!r} is not known; expected one of {', '.join(ACTIVATIONS)}"
            )


class FeedForwardLayer(nn.Module):
    """What both layers end with: two linear maps beside a shortcut, and a norm."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__()
        self.size = size
        self.fc1, self.fc2 = (
            nn.Linear(size.width, size.feed_forward),
            nn.Linear(size.feed_forward, size.width),
        )
        self.final_layer_norm = nn.LayerNorm(size.width)

    def dropped(self, hidden: Tensor, share: float) -> Tensor:
        """Return hidden states of which a share is left out in training."""
        return functional.dropout(hidden, share, training=self.training)

    def fed_forward(self, hidden: Tensor) -> Tensor:
        """Return hidden states (B, Q, D) after the two linear maps."""
        inner = self.dropped(
            ACTIVATIONS[self.size.activation](self.fc1(hidden)), self.size.activation_dropout
        )
        return self.final_layer_norm(hidden + self.dropped(self.fc2(inner), self.size.dropout))


class EncoderLayer(FeedForwardLayer):
    """Every cell looks at a few points around itself."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__(size)
        self.self_attn = DeformableAttention(
            size.width, heads=size.heads, levels=size.levels, points=size.points
        )
        self.self_attn_layer_norm = nn.LayerNorm(size.width)

    def forward(self, hidden: Tensor, positions: Tensor, *, shapes: Shapes, reference: Tensor) -> Tensor:
        """Return cells (B, S, D); positions (S, D) are added to what asks; reference (1, S, 1, 2)."""
        seen = self.self_attn(hidden + positions, hidden, shapes=shapes, reference=reference)
        hidden = self.self_attn_layer_norm(hidden + self.dropped(seen, self.size.dropout))
        return self.fed_forward(hidden)


class QueryAttention(nn.Module):
    """Attention of queries to each other, by the names of published DETR."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__()
        self.heads, self.dropout = size.heads, size.attention_dropout
        self.q_proj, self.k_proj = nn.Linear(size.width, size.width), nn.Linear(size.width, size.width)
        self.v_proj, self.out_proj = nn.Linear(size.width, size.width), nn.Linear(size.width, size.width)

    def forward(self, hidden: Tensor, positions: Tensor) -> Tensor:
        """Return (B, Q, D); positions (B, Q, D) are added to queries and keys, not to values."""
        placed = hidden + positions
        query, key, value = (
            project(given).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, Q, D / H)
            for project, given in ((self.q_proj, placed), (self.k_proj, placed), (self.v_proj, hidden))
        )
        share = self.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=share)
        return self.out_proj(seen.transpose(1, 2).flatten(2))


class DecoderLayer(FeedForwardLayer):
    """Queries look at each other, then at a few points of the maps inside their boxes."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__(size)
        self.self_attn = QueryAttention(size)
        self.self_attn_layer_norm = nn.LayerNorm(size.width)
        self.encoder_attn = DeformableAttention(
            size.width, heads=size.heads, levels=size.levels, points=size.points
        )
        self.encoder_attn_layer_norm = nn.LayerNorm(size.width)

    def forward(
        self, hidden: Tensor, positions: Tensor, memory: Tensor, *, shapes: Shapes, reference: Tensor
    ) -> Tensor:
        """Return queries (B, Q, D); memory (B, S, D); reference (B, Q, 1, 4), boxes."""
        share = self.size.dropout
        hidden = self.self_attn_layer_norm(hidden + self.dropped(self.self_attn(hidden, positions), share))
        seen = self.encoder_attn(hidden + positions, memory, shapes=shapes, reference=reference)
        hidden = self.encoder_attn_layer_norm(hidden + self.dropped(seen, share))
        return self.fed_forward(hidden)

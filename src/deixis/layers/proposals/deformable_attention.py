"""Attention to a few points of several maps, near a reference (Zhu et al., 2021), in plain torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Shapes = Sequence[tuple[int, int]]
"""Height and width of the map of each level."""


def sample_levels(value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sums (B, Q, H * D) of bilinear samples of all levels; outside of a map is zero.

    value (B, S, H, D): the cells of all levels, one behind the other, row by row. locations
    (B, Q, H, L, P, 2): x, y as fractions of each map. weights (B, Q, H, L, P). H heads, L levels, P points.
    """
    batch, _, heads, width = value.shape
    queries = locations.shape[1]
    # Queries come last, so that sums over a few points run along them.
    grids = (2 * locations - 1).permute(3, 0, 2, 4, 1, 5).flatten(1, 2)  # (L, B * H, P, Q, 2)
    shares = weights.permute(3, 0, 2, 4, 1).flatten(1, 2)[:, :, None]  # (L, B * H, 1, P, Q)
    total, start = None, 0
    for level, (high, wide) in enumerate(shapes):
        cells = value[:, start : start + high * wide].permute(0, 2, 3, 1)  # (B, H, D, h * w)
        start += high * wide
        sampled = functional.grid_sample(
            cells.reshape(batch * heads, width, high, wide),
            grids[level],
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        )  # (B * H, D, P, Q)
        summed = (sampled * shares[level]).sum(dim=2)  # (B * H, D, Q)
        total = summed if total is None else total + summed
    assert total is not None, "there is no level to sample"
    return total.view(batch, heads * width, queries).transpose(1, 2)


class DeformableAttention(nn.Module):
    """Queries that choose, for each head, points of each level around a reference, and how much each counts.

    width: of queries, values and outputs. The names of its parts are those of published Deformable DETR.
    """

    def __init__(self, width: int, *, heads: int, levels: int, points: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads share a width of {width}; expected a divisor")
        self.heads, self.levels, self.points = heads, levels, points
        self.sampling_offsets = nn.Linear(width, heads * levels * points * 2)
        self.attention_weights = nn.Linear(width, heads * levels * points)
        self.value_proj, self.output_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Let each head look in a direction of its own, point by point further away; all count the same."""
        angles = torch.arange(self.heads, dtype=torch.float32) * (2 * math.pi / self.heads)
        directions = torch.stack([angles.cos(), angles.sin()], dim=-1)  # (H, 2)
        directions = directions / directions.abs().amax(dim=-1, keepdim=True)
        steps = torch.arange(1, self.points + 1, dtype=torch.float32)
        offsets = directions[:, None, None] * steps[:, None]  # (H, 1, P, 2)
        self.sampling_offsets.bias.copy_(offsets.expand(-1, self.levels, -1, -1).flatten())
        for zero in (self.sampling_offsets.weight, *self.attention_weights.parameters()):
            zero.zero_()
        for projection in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.bias)

    def forward(self, query: Tensor, memory: Tensor, *, shapes: Shapes, reference: Tensor) -> Tensor:
        """Return (B, Q, D) of queries (B, Q, D) about memory (B, S, D), the cells of all levels.

        reference (B, Q, 1 or L, 2 or 4): points x, y, or boxes cx cy w h, as fractions of the picture.
        """
        weights, locations = self.looks(query, shapes=shapes, reference=reference)
        value = self.value_proj(memory).unflatten(-1, (self.heads, -1))  # (B, S, H, D / H)
        with torch.autocast(query.device.type, enabled=False):
            seen = sample_levels(value.float(), shapes, locations, weights)
        return self.output_proj(seen.to(value.dtype))

    def looks(self, query: Tensor, *, shapes: Shapes, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Return how much each point counts (B, Q, H, L, P) and where it is (B, Q, H, L, P, 2)."""
        shape = (self.heads, self.levels, self.points)
        offsets = self.sampling_offsets(query).float().unflatten(-1, (*shape, 2))
        shares = self.attention_weights(query).float().unflatten(-1, (self.heads, -1)).softmax(dim=-1)
        around = reference.float()[:, :, None, :, None]  # (B, Q, 1, L, 1, 2 or 4)
        if reference.shape[-1] == 2:
            sizes = offsets.new_tensor([[wide, high] for high, wide in shapes])[:, None]  # (L, 1, 2)
            locations = around + offsets / sizes
        else:
            locations = around[..., :2] + offsets / self.points * around[..., 2:] * 0.5
        return shares.unflatten(-1, (self.levels, self.points)), locations

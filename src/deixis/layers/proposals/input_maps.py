"""From one map of a vision encoder to the levels that a proposer looks at, the finest first."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deixis.errors import UsageError

MOST_LEVELS = 4


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of maps (B, C, H, W)."""

    def __init__(self, channels: int, *, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.epsilon = epsilon

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, H, W) with a mean of 0 and a variance of 1 at each cell, scaled and shifted."""
        moved = maps - maps.mean(dim=1, keepdim=True)
        spread = moved.pow(2).mean(dim=1, keepdim=True)
        return (
            moved / torch.sqrt(spread + self.epsilon) * self.weight[:, None, None] + self.bias[:, None, None]
        )


def input_maps(inputs: int, width: int, *, levels: int) -> nn.ModuleList:
    """Return what makes each level (B, width, h, w) of a map (B, inputs, H, W), from the finest on.

    One level is as large as the map. Two have also a half of it, three the double, four the fourfold size.
    UsageError for another number of levels.
    """
    if not 1 <= levels <= MOST_LEVELS:
        raise UsageError(f"a proposer of {levels} levels was asked for; expected 1 to {MOST_LEVELS}")
    half, quarter = width // 2, width // 4
    same = nn.Sequential(nn.Conv2d(inputs, width, 1), ChannelNorm(width))
    if levels == 1:
        return reset(nn.ModuleList([same]))
    coarse = nn.Sequential(nn.Conv2d(inputs, width, 3, stride=2, padding=1), ChannelNorm(width))
    double = nn.Sequential(
        nn.ConvTranspose2d(inputs, half, 2, stride=2),
        nn.Conv2d(half, width, 1),
        ChannelNorm(width),
        nn.Conv2d(width, width, 3, padding=1),
    )
    fourfold = nn.Sequential(
        nn.ConvTranspose2d(inputs, half, 2, stride=2),
        ChannelNorm(half),
        nn.GELU(),
        nn.ConvTranspose2d(half, quarter, 2, stride=2),
        nn.Conv2d(quarter, width, 1),
        ChannelNorm(width),
        nn.Conv2d(width, width, 3, padding=1),
    )
    return reset(nn.ModuleList([coarse, same, double, fourfold][:levels][::-1]))


def reset(maps: nn.ModuleList) -> nn.ModuleList:
    """Return the same with the published beginnings: the first convolution of each level is Xavier's."""
    for level in maps:
        first = level[0]  # type: ignore[index]
        nn.init.xavier_uniform_(first.weight)
        nn.init.zeros_(first.bias)
    return maps

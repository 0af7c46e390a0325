"""Levels of a vision encoder that exchange some of their channels, round by round."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError


def resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (B, C, H, W) at another size, corners on corners; worked out in float32."""
    if maps.shape[-2:] == size:
        return maps
    with torch.autocast(maps.device.type, enabled=False):
        larger = functional.interpolate(maps.float(), size, mode="bilinear", align_corners=True)
    return larger.to(maps.dtype)


def coordinates(maps: Tensor) -> Tensor:
    """Return where each cell of maps (B, C, H, W) is (B, 2, H, W): x, then y, from -1 to 1."""
    batch, _, high, wide = maps.shape
    across = torch.linspace(-1, 1, wide, device=maps.device)[None, :].expand(high, wide)
    down = torch.linspace(-1, 1, high, device=maps.device)[:, None].expand(high, wide)
    return torch.stack([across, down])[None].expand(batch, -1, -1, -1).to(maps.dtype)


class FusionRound(nn.Module):
    """A convolution with norm and activation that all levels share."""

    def __init__(self, channels: int, *, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.gn = nn.GroupNorm(groups, channels)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, C, H, W)."""
        return functional.relu(self.gn(self.conv(maps)))


class LevelFusion(nn.Module):
    """Levels, each told where its cells are, that take a quarter of their channels from both neighbours.

    channels: of each level. rounds: how often they exchange. groups: of the norms. The names of its parts are
    the published ones.
    """

    def __init__(self, channels: int, *, levels: int = 3, rounds: int = 5, groups: int = 64) -> None:
        super().__init__()
        if channels % groups or channels < 4:
            raise UsageError(
                f"{groups} groups share {channels} channels; expected a divisor, and at least 4 channels"
            )
        self.channels, self.levels = channels, levels
        self.input_conv = nn.ModuleList(nn.Conv2d(channels + 2, channels, 1) for _ in range(levels))
        self.fuse_convs = nn.ModuleList(FusionRound(channels, groups=groups) for _ in range(rounds))

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return fused maps (B, C, H_l, W_l), the finest level first, as given."""
        if len(maps) != self.levels:
            raise ValueError(f"{len(maps)} maps came; expected one for each of {self.levels} levels")
        fused = [
            conv(torch.cat([one, coordinates(one)], dim=1))
            for conv, one in zip(self.input_conv, maps, strict=True)
        ]
        for fusion in self.fuse_convs:
            fused = [fusion(self.exchanged(fused, level)) for level in range(self.levels)]
        return tuple(fused)

    def exchanged(self, maps: Sequence[Tensor], level: int) -> Tensor:
        """Return the map of a level with channels of its neighbours; the outermost are their own."""
        moved, own = self.channels // 4, maps[level]
        size = (own.shape[-2], own.shape[-1])
        coarser, finer = maps[min(level + 1, self.levels - 1)], maps[max(level - 1, 0)]
        last = coarser[:, self.channels - moved :]
        last_but_one = finer[:, self.channels - 2 * moved : self.channels - moved]
        return torch.cat(
            [own[:, : self.channels - 2 * moved], resized(last, size), resized(last_but_one, size)], dim=1
        )

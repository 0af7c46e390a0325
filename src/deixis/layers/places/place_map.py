"""The dense place map: several depths of a tower fused at stride 8, a key and a box at every location.

Fusion by channels follows Florence-VL and ViP-LLaVA (several depths side by side), places to choose from
follow Groma; see docs/pointer.md. Boxes are ``x0 y0 x1 y1`` in pixels of the square picture given to the
tower.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 8
BOX_UNIT = 16.0  # pixels that one unit of a box head's output stands for


@dataclass(frozen=True)
class BoxOverlap:
    """Which of the boxes of a picture's locations overlap; depends on nothing that is asked."""

    agree: Tensor  # (B, L, L) bool, where another location's share counts as mass
    same: Tensor  # (B, L, L) bool, where another location is no further candidate


@dataclass(frozen=True)
class PlaceMap:
    """What is encoded of a batch of pictures; ``L = H * W`` locations, row-major."""

    fine: Tensor  # (B, D, H, W) fused features at stride 8
    middle: Tensor  # (B, D, H/2, W/2)
    coarse: Tensor  # (B, D, H/4, W/4)
    keys: Tensor  # (B, D, L)
    boxes: Tensor  # (B, L, 4) xyxy in pixels of the tower's input, not clipped
    head: Tensor | None = None  # (B, C, H/4, W/4) the tower's last map, as it is
    early: Tensor | None = None  # (B, C', 2H, 2W) the tower's map at stride 4, as it is
    picture: Tensor | None = None  # (B, 3, 8H, 8W) the pixels, in 0..1, for closer views of parts
    other: PlaceMap | None = None  # the same pictures seen at another size
    overlap: BoxOverlap | None = None  # of the boxes; worked out once where many phrases are asked for


class MapEncoder(nn.TransformerEncoderLayer):
    """One pre-norm transformer layer over the cells of the coarsest map."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__(
            width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )


def smoothing(width: int) -> nn.Sequential:
    """A 3x3 convolution with GroupNorm, applied after maps of two strides are added."""
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(8, width), nn.GELU())


def resized_position(table: Tensor, height: int, width: int) -> Tensor:
    """Return the learned position map (1, D, h, w) at another size, bilinearly."""
    if table.shape[-2:] == (height, width):
        return table
    return functional.interpolate(table, (height, width), mode="bilinear", align_corners=False)


class PlaceMapper(nn.Module):
    """Fuse the taps of a tower downwards and read keys and boxes off the finest map."""

    def __init__(
        self, channels: list[int], *, width: int, side: int, layers: int = 2, heads: int = 4
    ) -> None:
        super().__init__()
        fine, middle, coarse, head = channels
        cells = side // STRIDE
        self.laterals = nn.ModuleList(nn.Conv2d(c, width, 1) for c in (fine, middle, coarse, head))
        self.coarse_position = nn.Parameter(torch.randn(1, width, cells // 4, cells // 4) * 0.02)
        self.fine_position = nn.Parameter(torch.randn(1, width, cells, cells) * 0.02)
        self.encoder = nn.ModuleList(MapEncoder(width, heads=heads) for _ in range(layers))
        self.smooth_middle = smoothing(width)
        self.smooth_fine = smoothing(width)
        self.key_head = nn.Sequential(smoothing(width), nn.Conv2d(width, width, 1))
        self.box_head = nn.Sequential(smoothing(width), nn.Conv2d(width, 4, 1))

    def forward(self, taps: list[Tensor]) -> PlaceMap:
        """Fuse taps [(B, C, H, W) at strides 8, 16, 32, 32] into a PlaceMap.

        A fifth tap, at stride 4, is kept as it is.
        """
        coarse = self.laterals[2](taps[2]) + self.laterals[3](taps[3])
        coarse = coarse + resized_position(self.coarse_position, *coarse.shape[-2:])
        cells = coarse.flatten(2).transpose(1, 2)  # (B, H/4 * W/4, D)
        for layer in self.encoder:
            cells = layer(cells)
        coarse = cells.transpose(1, 2).reshape(coarse.shape)  # (B, D, H/4, W/4)
        middle = self.smooth_middle(self.laterals[1](taps[1]) + enlarged(coarse, taps[1]))
        fine = self.smooth_fine(self.laterals[0](taps[0]) + enlarged(middle, taps[0]))
        fine = fine + resized_position(self.fine_position, *fine.shape[-2:])
        return PlaceMap(
            fine=fine,
            middle=middle,
            coarse=coarse,
            keys=self.key_head(fine).flatten(2),
            boxes=boxes_from_distances(self.box_head(fine)),
            head=taps[3],
            early=taps[4] if len(taps) > 4 else None,
        )


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """Return ``x`` resized (nearest) to the height and width of ``like``."""
    return functional.interpolate(x, like.shape[-2:], mode="nearest")


def location_centres(height: int, width: int, *, device: torch.device) -> Tensor:
    """Return the centres (L, 2) x y, in pixels of the tower's input, of an H x W map.

    >>> location_centres(1, 2, device=torch.device("cpu")).tolist()
    [[4.0, 4.0], [12.0, 4.0]]
    """
    ys, xs = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return (torch.stack([xs, ys], dim=-1).reshape(-1, 2).float() + 0.5) * STRIDE  # (L, 2)


def boxes_from_distances(raw: Tensor) -> Tensor:
    """Turn raw head output (B, 4, H, W) into boxes (B, L, 4): distances left, top, right, bottom."""
    centres = location_centres(*raw.shape[-2:], device=raw.device)
    distances = functional.softplus(raw.float()).flatten(2).transpose(1, 2) * BOX_UNIT  # (B, L, 4)
    return torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], dim=-1)

"""The region encoder: fused levels, sampled inside each box, and where the box is, as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.proposals.box_forms import corners
from deixis.layers.region_levels.level_fusion import LevelFusion, resized
from deixis.layers.region_levels.region_pooling import pool_boxes

BoxFormat = Literal["cxcywh_as_xyxy", "xyxy"]
BOX_FORMATS: tuple[BoxFormat, ...] = ("cxcywh_as_xyxy", "xyxy")


@dataclass(frozen=True)
class RegionEncoderSize:
    """The sizes of a region encoder; the defaults are the published ones.

    roi_side: samples of a box along each side. box_scale: what fractions of the picture's side are multiplied
    by, and stride: how much of that a cell of the coarsest level is wide; each finer level has half of it.
    stride_scale: what all strides are multiplied by. box_format: which numbers are taken for corners. The
    published weights were trained with middle and size in the place of corners and with half of the true
    strides, so about half of all samples lie outside of the picture; "xyxy" with a scale of 1 samples what is
    in the box.
    """

    levels: int = 3
    rounds: int = 5
    groups: int = 64
    roi_side: int = 14
    hidden: int = 1024
    position_hidden: int = 256
    box_scale: float = 448
    stride: float = 14
    stride_scale: float = 0.5
    samples: int = 2
    box_format: BoxFormat = "cxcywh_as_xyxy"

    def __post_init__(self) -> None:
        if self.box_format not in BOX_FORMATS:
            raise UsageError(
                f"roi_box_format is {self.box_format!r}; expected one of {', '.join(BOX_FORMATS)}"
            )
        if not self.stride * self.stride_scale > 0:
            raise UsageError(
                f"a stride of {self.stride} times {self.stride_scale} is no width of a cell; expected more "
                "than 0"
            )

    @property
    def pools_masks(self) -> bool:
        """Whether samples lie inside of boxes, so that those outside of a mask can be left out."""
        return self.box_format == "xyxy"

    def strides(self) -> tuple[float, ...]:
        """Return the stride of each level, the finest first.

        >>> RegionEncoderSize().strides()
        (1.75, 3.5, 7.0)
        """
        coarsest = self.stride * self.stride_scale
        return tuple(coarsest / 2**level for level in reversed(range(self.levels)))


class RegionSampler(nn.Module):
    """Samples of all levels inside each box, added up, and the box itself, as one vector.

    The names of its parts are the published ones.
    """

    def __init__(self, channels: int, outputs: int, size: RegionEncoderSize) -> None:
        super().__init__()
        self.size = size
        convs = [nn.Conv2d(channels, channels, 3, padding=1) for _ in range(size.levels)]
        for conv in convs:
            nn.init.normal_(conv.weight, std=0.01)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        self.pconvs = nn.ModuleList(convs)
        self.flatten_linear = nn.Linear(channels * size.roi_side**2, size.hidden)
        self.pos_embedd = nn.Sequential(
            nn.Linear(4, size.position_hidden),
            nn.ReLU(),
            nn.LayerNorm(size.position_hidden),
            nn.Linear(size.position_hidden, size.hidden),
            nn.ReLU(),
            nn.LayerNorm(size.hidden),
        )
        self.updims = nn.Linear(size.hidden, outputs)

    def pooled(self, maps: Sequence[Tensor], boxes: Sequence[Tensor]) -> list[Tensor]:
        """Return what each level has (R, C, s, s) in the boxes (R_i, 4) of each picture."""
        size = self.size
        given = [corners(own) if size.box_format == "xyxy" else own for own in boxes]
        numbers = torch.cat([own.new_full((len(own), 1), number) for number, own in enumerate(given)])
        numbered = torch.cat([numbers, torch.cat(given) * size.box_scale], dim=1)  # (R, 5)
        return [
            pool_boxes(one, numbered, side=size.roi_side, scale=1 / stride, samples=size.samples)
            for one, stride in zip(maps, size.strides(), strict=True)
        ]

    def content(self, pooled: Sequence[Tensor]) -> Tensor:
        """Return what is in the boxes (R, hidden)."""
        levels = [conv(one) for conv, one in zip(self.pconvs, pooled, strict=True)]
        summed = functional.relu(torch.stack(levels).sum(dim=0))  # (R, C, s, s)
        content: Tensor = self.flatten_linear(summed.flatten(1))
        return content

    def forward(
        self, maps: Sequence[Tensor], boxes: Sequence[Tensor], shares: Tensor | None = None
    ) -> Tensor:
        """Return the vectors (R, D) of the boxes (R_i, 4) of each picture, one picture behind the other.

        shares (R, s, s): how much each sample of a box counts, see ``LevelRegionEncoder``.
        """
        pooled = self.pooled(maps, boxes)
        if shares is not None:
            pooled = [one * shares[:, None].to(one.dtype) for one in pooled]
        content = self.content(pooled)
        position = self.pos_embedd(torch.cat(list(boxes)).to(content.dtype))
        vectors: Tensor = self.updims(content + position)
        return vectors


class LevelRegionEncoder(nn.Module):
    """Vectors of boxes in pictures.

    channels: of the states of the vision encoder. outputs: width of a vector. Boxes are cx cy w h as
    fractions of the sides of the square that the encoder saw. A region that isn't a box has shares (s, s),
    how much of each of the s x s bins of its box belongs to it: samples count as much. That wants an encoder
    that samples inside of boxes (``box_format`` "xyxy").
    """

    def __init__(self, channels: int, outputs: int, size: RegionEncoderSize) -> None:
        super().__init__()
        self.size, self.outputs = size, outputs
        self.mlvl_fuse = LevelFusion(channels, levels=size.levels, rounds=size.rounds, groups=size.groups)
        self.roi_align = RegionSampler(channels, outputs, size)

    def fuse(self, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the fused levels of states (B, n * n, C), the earliest first; once for all boxes.

        The last state keeps its grid, each one before it has twice the cells along a side.
        """
        cells = round(states[0].shape[1] ** 0.5)
        sides = [cells * 2**level for level in reversed(range(len(states)))]
        maps = [
            resized(state.transpose(1, 2).unflatten(-1, (cells, cells)), (side, side))
            for state, side in zip(states, sides, strict=True)
        ]
        fused: tuple[Tensor, ...] = self.mlvl_fuse(maps)
        return fused

    def forward(
        self, maps: Sequence[Tensor], boxes: Sequence[Tensor], shares: Tensor | None = None
    ) -> Tensor:
        """Return the vectors (R, D) of boxes (R_i, 4) in each picture, given fused levels (B, C, h, w).

        shares (R, s, s): of regions inside of these boxes; None: each is its box. UsageError for shares where
        samples lie elsewhere.
        """
        if shares is not None and not self.size.pools_masks:
            raise UsageError(
                f"box_format is {self.size.box_format!r}, which samples elsewhere than in a box; shares of a "
                "box need 'xyxy'"
            )
        if not sum(map(len, boxes)):
            return maps[0].new_zeros(0, self.outputs)
        vectors: Tensor = self.roi_align(maps, boxes, shares)
        return vectors

"""A small convolutional tower in the place of a vision transformer: two of its depths as one grid of vectors.

With it the systems whose published towers have hundreds of millions of weights also run at a size that two
processor cores can train.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.towers.efficientnet_lite import EfficientNetLite, build_tower
from deixis.layers.towers.feature_tower import FeatureTower
from deixis.pictures.normalising import Normalisation

STRIDE, COARSEST = 16, 32  # pixels a cell of the grid, and of the coarser map that is enlarged to it
UNIT_PIXELS = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # the encoder itself knows its statistics


class FeatureGridTower(FeatureTower):
    """EfficientNet-Lite's map at stride 16 and its enlarged map at stride 32, side by side by channels.

    name: one of ``efficientnet_lite.SIZES``. side: pixels, a multiple of 32.
    """

    vision: EfficientNetLite

    def __init__(self, name: str, *, side: int = 192) -> None:
        super().__init__()
        self.vision = build_tower(name)
        _, middle, coarse, _ = self.vision.channels
        self.width, self.side, self.normalisation = middle + coarse, side, UNIT_PIXELS
        self.cells(side)

    def cells(self, side: int) -> int:
        """Return how many cells a row has; UsageError unless the coarser map fits it."""
        if side % COARSEST or side < COARSEST:
            raise UsageError(
                f"a picture of side {side} was asked for; this tower takes multiples of {COARSEST}"
            )
        return side // STRIDE

    def states(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Turn pixels (B, 3, S, S) in 0..1 into one state (B, n * n, width), in the dtype of ``pixels``."""
        own = pixels.to(self.vision.stem.conv.weight.dtype).contiguous(memory_format=torch.channels_last)
        _, middle, coarse, *_ = self.vision(own)
        coarse = functional.interpolate(coarse, middle.shape[-2:], mode="nearest")
        grid = torch.cat([middle, coarse], dim=1)  # (B, width, n, n)
        return (grid.flatten(2).transpose(1, 2).to(pixels.dtype),)  # (B, n * n, width)

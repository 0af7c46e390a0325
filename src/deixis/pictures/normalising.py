"""Pixels as a network wants them: channels first, each channel shifted and scaled by fixed statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Normalisation:
    """What a tower was trained with: ``(pixel * rescale - mean) / std`` for each of red, green, blue.

    rescale: brings bytes to the scale of mean and std.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    rescale: float = 1 / 255

    def __post_init__(self) -> None:
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(f"three means and three deviations above 0 are needed; got {self}")

    def tensor(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Return pixels (…, H, W, 3) uint8 as (…, 3, H, W) float32.

        >>> Normalisation((0.5,) * 3, (0.5,) * 3).tensor(np.zeros((1, 2, 3), dtype=np.uint8)).tolist()
        [[[-1.0, -1.0]], [[-1.0, -1.0]], [[-1.0, -1.0]]]
        """
        # With numpy, not torch: after a parallel operation torch's threads wait busily for the next one, and
        # would take the cores from those that resize.
        moved = np.ascontiguousarray(np.moveaxis(pixels, -1, -3))
        scale, shift = self.scale_and_shift()
        scaled = np.multiply(moved, scale, dtype=np.float32)
        return torch.from_numpy(np.add(scaled, shift, out=scaled))

    def scale_and_shift(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what a byte is multiplied with and what is added, each (3, 1, 1)."""
        std = np.array(self.std)
        scale, shift = self.rescale / std, -np.array(self.mean) / std
        return scale.astype(np.float32)[:, None, None], shift.astype(np.float32)[:, None, None]


def statistics(mean: Sequence[float], std: Sequence[float], *, rescale: float = 1 / 255) -> Normalisation:
    """Return a normalisation from any sequences of numbers, such as a JSON file's lists."""
    return Normalisation(tuple(map(float, mean)), tuple(map(float, std)), rescale)

"""Points drawn from regions, with which Ferret's visual sampler begins (arXiv 2310.07704, section 3).

All draws come from one CPU generator, so that a seed gives the same points on every device; a drawn set is a
value that can be kept and fed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from deixis.errors import BadRegion
from deixis.regions.pixels import RegionPixels

FEW = 8  # up to so many pixels for each one wanted, ordering all of them is the cheapest draw


@dataclass(frozen=True)
class DrawnRegions:
    """The points of all regions of a batch of pictures.

    points: float32 (R, P, 2), x / width and y / height of pixels, in [0, 1), without a half-pixel offset.
    pictures: int64 (R,), which picture of the batch each region is in.
    starts: int64 (S, R), where farthest point sampling begins in each stage, counted in the stage's points.
    """

    points: Tensor
    pictures: Tensor
    starts: Tensor

    def __post_init__(self) -> None:
        regions = self.pictures.shape[0] if self.pictures.ndim == 1 else -1
        shapes = (tuple(self.points.shape), tuple(self.pictures.shape), tuple(self.starts.shape))
        if not (
            self.points.ndim == 3 and self.points.shape[0] == regions and self.points.shape[2] == 2
        ) or not (self.starts.ndim == 2 and self.starts.shape[1] == regions):
            raise BadRegion(
                f"points, pictures and starts have shapes {shapes}; expected (R, P, 2), (R,) and (stages, R) "
                "with the same number of regions R"
            )

    def __len__(self) -> int:
        return len(self.pictures)

    @classmethod
    def draw(
        cls,
        pictures: Sequence[Sequence[RegionPixels]],
        *,
        count: int = 512,
        stages: Sequence[int] = (128, 32),
        generator: torch.Generator | None = None,
    ) -> Self:
        """Return ``count`` points for every region of every picture, in order.

        stages: how many anchors each stage has; a stage begins at one of the points of the stage before.
        A picture may have no regions, and so may all. Raises BadRegion for a region without pixels.
        """
        regions = [pixels for picture in pictures for pixels in picture]
        points = [draw_points(pixels, count=count, generator=generator) for pixels in regions]
        owners = [number for number, picture in enumerate(pictures) for _ in picture]
        starts = [
            torch.randint(0, available, (len(regions),), generator=generator)
            for available in (count, *stages[:-1])
        ]
        return cls(
            points=torch.stack(points) if points else torch.zeros(0, count, 2),
            pictures=torch.tensor(owners, dtype=torch.int64),
            starts=torch.stack(starts),
        )


def draw_points(
    pixels: RegionPixels, *, count: int = 512, generator: torch.Generator | None = None
) -> Tensor:
    """Return (count, 2) float32: x / width and y / height of pixels drawn from a region.

    A region of more pixels gives a random subset; one of fewer gives all, in x-major order, followed by
    pixels drawn with repetition; one of exactly ``count`` gives all. Raises BadRegion for a region without
    pixels.

    >>> draw_points(RegionPixels.rectangle(2, 1, 3, 2, width=4, height=4), count=2).tolist()
    [[0.5, 0.25], [0.5, 0.25]]
    """
    available = pixels.count
    if available == 0:
        raise BadRegion(
            f"a region covers no pixel of its picture of {pixels.width} x {pixels.height}, so nothing can be "
            "sampled from it; does it lie outside, is its mask empty, or is it in another frame?"
        )
    if available > count:
        chosen = distinct(available, count=count, generator=generator)
    else:
        repeated = torch.randint(0, available, (count - available,), generator=generator)
        chosen = torch.cat([torch.arange(available), repeated])
    places = pixels.take(chosen.numpy()).astype(np.float32)
    size = np.array([pixels.width, pixels.height], dtype=np.float32)
    return torch.from_numpy(places / size)


def distinct(available: int, *, count: int, generator: torch.Generator | None) -> Tensor:
    """Return int64 (count,): different numbers below ``available``, every subset as likely."""
    if available <= FEW * count:
        return torch.randperm(available, generator=generator)[:count]
    # Numbers one after the other, of which repetitions don't count: a subset without ordering all numbers.
    drawn = torch.zeros(0, dtype=torch.int64)
    while len(drawn) < count:
        more = torch.randint(0, available, (count,), generator=generator)
        numbers = torch.cat([drawn, more]).numpy()
        _, first = np.unique(numbers, return_index=True)
        drawn = torch.from_numpy(numbers[np.sort(first)])
    return drawn[:count]

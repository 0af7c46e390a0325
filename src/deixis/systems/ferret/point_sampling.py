"""The points that a region's vector is sampled at, drawn the same for the same region every time."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from deixis.layers.regions.point_draws import DrawnRegions
from deixis.layers.regions.sampler_size import SamplerSize
from deixis.regions.pixels import RegionPixels


@dataclass(frozen=True)
class PointSampling:
    """How many points are drawn in a region, and how many are left after each stage of the sampler."""

    points: int
    anchors: tuple[int, ...]

    @classmethod
    def of(cls, sampler: dict[str, object] | None) -> PointSampling:
        """Return what a configuration's ``sampler`` asks for; without one as many points are drawn."""
        if sampler is None:
            return cls(points=SamplerSize().points, anchors=())
        fields = {key: tuple(one) if isinstance(one, list) else one for key, one in sampler.items()}
        size = SamplerSize(**fields)  # type: ignore[arg-type]
        return cls(points=size.points, anchors=tuple(size.anchors))

    def draw(self, regions: Sequence[RegionPixels], pictures: Sequence[int]) -> DrawnRegions:
        """Return the drawn regions of a batch; pictures: which of the batch's each region is in.

        What is drawn in a region depends on its own pixels only, not on the regions beside it: a batch of
        questions is answered like the questions alone.
        """
        each = [
            DrawnRegions.draw(
                [[pixels]],
                count=self.points,
                stages=self.anchors,
                generator=torch.Generator().manual_seed(seed_of(pixels)),
            )
            for pixels in regions
        ]
        if not each:
            return DrawnRegions.draw([], count=self.points, stages=self.anchors)
        return DrawnRegions(
            points=torch.cat([one.points for one in each]),  # (R, P, 2)
            pictures=torch.tensor(list(pictures)),
            starts=torch.cat([one.starts for one in each], dim=1),  # (S, R)
        )


def seed_of(pixels: RegionPixels) -> int:
    """Return a seed that is the same for the same pixels of a picture of the same size."""
    size = f"{pixels.width}x{pixels.height}".encode()
    return zlib.crc32(pixels.ends.tobytes(), zlib.crc32(pixels.begins.tobytes(), zlib.crc32(size)))

"""The sizes of Ferret's visual sampler, and the order in which it reads a point's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deixis.errors import UsageError
from deixis.layers.regions.neighbour_pooling import Pooling

PointOrder = Literal["xy", "transposed"]


@dataclass(frozen=True)
class SamplerSize:
    """How many points are drawn, stay as anchors in each stage, and are pooled at each anchor."""

    points: int = 512
    anchors: tuple[int, ...] = (128, 32)
    neighbours: tuple[int, ...] = (24, 24)
    pooling: Pooling = "max"

    def __post_init__(self) -> None:
        object.__setattr__(self, "anchors", tuple(self.anchors))
        object.__setattr__(self, "neighbours", tuple(self.neighbours))
        available = (self.points, *self.anchors[:-1])
        if not self.anchors or len(self.anchors) != len(self.neighbours):
            raise UsageError(
                f"anchors {self.anchors} and neighbours {self.neighbours} need one number for every stage"
            )
        for name, counts in (("anchors", self.anchors), ("neighbours", self.neighbours)):
            if any(not 1 <= count <= most for count, most in zip(counts, available, strict=True)):
                raise UsageError(
                    f"{name} {counts}: each stage can have 1 to as many as it has points, {available}"
                )
        if self.pooling not in ("max", "mean"):
            raise UsageError(f"pooling is {self.pooling!r}; expected 'max' or 'mean'")

"""A single place of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.regions import frames
from deixis.regions.checking import checked, require_unit
from deixis.regions.clipping import clip_place
from deixis.regions.frames import PIXELS, Frame
from deixis.regions.raster import stroke_pixels
from deixis.regions.shapes.box import Box
from deixis.regions.shapes.picture_edge import EDGE_SLACK, outside, told_numbers


@dataclass(frozen=True)
class Point:
    """A single place."""

    x: float
    y: float
    frame: Frame = field(default=PIXELS, kw_only=True)

    def __post_init__(self) -> None:
        frames.require_frame(self.frame)
        x, y = checked((self.x, self.y), "point")
        require_unit((x, y), self.frame, "point")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    def bounds(self) -> Box:
        """Return a box of a thousandth of the frame around the point (one pixel if the frame has no size)."""
        width, height = self.frame.size if self.frame.bound else (1000.0, 1000.0)
        dx, dy = width / 2000, height / 2000
        return Box(self.x - dx, self.y - dy, self.x + dx, self.y + dy, frame=self.frame)

    def bind(self, original: Frame) -> Self:
        """Return the point as one of the picture ``original``."""
        return replace(self, frame=frames.bind(self.frame, original))

    def to(self, frame: Frame) -> Self:
        """Return the point in another frame of the same picture."""
        x, y = frames.convert([self.x, self.y], self.frame, frame).tolist()
        return replace(self, x=x, y=y, frame=frame)

    def clipped(self, original: Frame) -> Point:
        """Return the point in ``original``; BadRegion if it lies outside."""
        point = self.bind(original).to(original)
        width, height = original.size
        slack = EDGE_SLACK * max(width, height)
        if not (-slack <= point.x <= width + slack and -slack <= point.y <= height + slack):
            raise outside("point", told_numbers((self.x, self.y)), self.frame, original)
        return Point(*clip_place((point.x, point.y), width=width, height=height), frame=original)

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the one pixel (H, W) of the frame that holds the point."""
        return stroke_pixels([(self.x, self.y)], *self.frame.size)

"""A rectangle of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion
from deixis.regions import frames, overlap
from deixis.regions.checking import checked, require_unit
from deixis.regions.clipping import clip_edges
from deixis.regions.frames import PIXELS, Frame
from deixis.regions.raster import box_pixels
from deixis.regions.shapes.picture_edge import EDGE_SLACK, outside, told_numbers, warn_clipped


@dataclass(frozen=True)
class Box:
    """A rectangle from (x0, y0) to (x1, y1); edges are continuous: a whole 4 x 3 picture is Box(0, 0, 4, 3).

    >>> Box(0, 0, 4, 2).iou(Box(2, 0, 6, 2))
    0.3333333333333333
    """

    x0: float
    y0: float
    x1: float
    y1: float
    frame: Frame = field(default=PIXELS, kw_only=True)

    def __post_init__(self) -> None:
        frames.require_frame(self.frame)
        x0, y0, x1, y1 = checked((self.x0, self.y0, self.x1, self.y1), "box")
        require_unit((x0, y0, x1, y1), self.frame, "box")
        if x1 <= x0 or y1 <= y0:
            raise BadRegion(
                f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) needs x0 < x1 and y0 < y1, in the order x0 y0 x1 y1; "
                "is it x y width height, or from another frame?"
            )
        for name, value in zip(("x0", "y0", "x1", "y1"), (x0, y0, x1, y1), strict=True):
            object.__setattr__(self, name, value)

    def as_tuple(self) -> tuple[float, float, float, float]:
        """Return x0, y0, x1, y1 in the box's own frame."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def area(self) -> float:
        """The area in squared units of the frame."""
        return overlap.area(self.as_tuple())

    def intersection(self, other: Box) -> float:
        """Return the area shared with a box of the same frame."""
        frames.require_same_frame(self.frame, other.frame)
        return overlap.shared_area(self.as_tuple(), other.as_tuple())

    def iou(self, other: Box) -> float:
        """Return intersection over union with a box of the same frame."""
        frames.require_same_frame(self.frame, other.frame)
        return overlap.iou(self.as_tuple(), other.as_tuple())

    def bounds(self) -> Box:
        """Return the box itself."""
        return self

    def bind(self, original: Frame) -> Self:
        """Return the box as one of the picture ``original``."""
        return replace(self, frame=frames.bind(self.frame, original))

    def to(self, frame: Frame) -> Self:
        """Return the box in another frame of the same picture."""
        (x0, y0), (x1, y1) = frames.convert(
            [[self.x0, self.y0], [self.x1, self.y1]], self.frame, frame
        ).tolist()
        return replace(self, x0=x0, y0=y0, x1=x1, y1=y1, frame=frame)

    def clipped(self, original: Frame) -> Box:
        """Return the box in ``original``, cut at its edges with a warning; BadRegion if nothing is left."""
        box = self.bind(original).to(original)
        width, height = original.size
        edges = clip_edges(box.as_tuple(), width=width, height=height)
        if edges[0] >= edges[2] or edges[1] >= edges[3]:
            raise outside("box", told_numbers(self.as_tuple()), self.frame, original)
        if not np.allclose(edges, box.as_tuple(), rtol=0, atol=EDGE_SLACK * max(width, height)):
            warn_clipped("box", told_numbers(self.as_tuple()), original)
        return Box(*edges, frame=original)

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the pixels (H, W) of the frame whose centres the box covers."""
        return box_pixels(self.as_tuple(), *self.frame.size)

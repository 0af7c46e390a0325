"""Regions made of a list of points: a closed polygon, or a free stroke."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion
from deixis.regions import frames
from deixis.regions.checking import checked, pairs_of, require_unit
from deixis.regions.clipping import clip_outline, clip_stroke
from deixis.regions.frames import PIXELS, Frame
from deixis.regions.raster import fill_polygon, stroke_pixels
from deixis.regions.shapes.box import Box
from deixis.regions.shapes.picture_edge import EDGE_SLACK, outside, told_numbers, warn_clipped
from deixis.regions.shapes.point import Point

MOST_POINTS = 20_000


@dataclass(frozen=True)
class Outline:
    """What polygon and scribble share: a list of points in one frame."""

    points: tuple[tuple[float, float], ...]
    frame: Frame = field(default=PIXELS, kw_only=True)

    least = 1

    def __post_init__(self) -> None:
        frames.require_frame(self.frame)
        name = type(self).__name__.lower()
        pairs = pairs_of(self.points, name)
        if not self.least <= len(pairs) <= MOST_POINTS or any(len(pair) != 2 for pair in pairs):
            raise BadRegion(
                f"a {name} needs {self.least} to {MOST_POINTS} points of x and y; got {len(pairs)}"
            )
        flat = checked((value for pair in pairs for value in pair), name)
        require_unit(flat, self.frame, name)
        object.__setattr__(self, "points", tuple(zip(flat[::2], flat[1::2], strict=True)))

    @property
    def told(self) -> str:
        """The first points, for messages."""
        return told_numbers(value for point in self.points[:4] for value in point)

    def bounds(self) -> Box:
        """Return the smallest box around the points (at least a thousandth of the frame wide and high)."""
        low, high = np.min(self.points, axis=0), np.max(self.points, axis=0)
        least = Point(*low.tolist(), frame=self.frame).bounds()
        slack = np.maximum(np.array([least.x1 - least.x0, least.y1 - least.y0]) - (high - low), 0) / 2
        return Box(*(low - slack).tolist(), *(high + slack).tolist(), frame=self.frame)

    def bind(self, original: Frame) -> Self:
        """Return the region as one of the picture ``original``."""
        return replace(self, frame=frames.bind(self.frame, original))

    def to(self, frame: Frame) -> Self:
        """Return the region in another frame of the same picture."""
        moved = frames.convert(self.points, self.frame, frame)
        return replace(self, points=tuple(map(tuple, moved.tolist())), frame=frame)

    def clipped(self, original: Frame) -> Self:
        """Return the region in ``original``, cut at its edges with a warning; BadRegion if none is left."""
        region = self.bind(original).to(original)
        inside = np.clip(region.points, 0, original.size)
        if np.allclose(inside, region.points, rtol=0, atol=EDGE_SLACK * max(original.size)):
            return replace(region, points=tuple(map(tuple, inside.tolist())))
        points = region.cut(*original.size)
        if not points:
            raise outside(type(self).__name__.lower(), self.told, self.frame, original)
        warn_clipped(type(self).__name__.lower(), self.told, original)
        return replace(region, points=tuple(points))

    def cut(self, width: float, height: float) -> list[tuple[float, float]]:
        """Return the points of the part inside (0, 0, width, height), none if there is no such part."""
        raise NotImplementedError


@dataclass(frozen=True)
class Polygon(Outline):
    """A closed outline; inside is what a ray crosses an odd number of edges to leave.

    >>> Polygon([(0, 0), (4, 0), (4, 4)]).bounds().as_tuple()
    (0.0, 0.0, 4.0, 4.0)
    """

    least = 3

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the pixels (H, W) of the frame whose centres lie inside."""
        return fill_polygon(self.points, *self.frame.size)

    def cut(self, width: float, height: float) -> list[tuple[float, float]]:
        """Return the corners of the part inside (0, 0, width, height), none if there is no such part."""
        return clip_outline(self.points, width, height)


@dataclass(frozen=True)
class Scribble(Outline):
    """A free stroke through its points."""

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the pixels (H, W) of the frame that the stroke passes."""
        return stroke_pixels(self.points, *self.frame.size)

    def cut(self, width: float, height: float) -> list[tuple[float, float]]:
        """Return the points of the part inside (0, 0, width, height), none if there is no such part."""
        return clip_stroke(self.points, width, height)

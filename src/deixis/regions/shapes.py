"""What a user points at: point, box, polygon, scribble or mask, as values that check themselves.

Every region knows its frame. ``Box(10, 20, 110, 220)`` means pixels of the picture it will be asked about;
``Box(0.1, 0.2, 0.5, 0.9, frame=UNIT)`` fractions of it. ``bind`` ties a region to one picture, ``to`` carries
it to another frame of that picture, ``clipped`` cuts it at the picture's edge.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion, FrameMismatch, RegionClipped
from deixis.regions import frames, rle
from deixis.regions.checking import checked, pairs_of, require_unit, whole, whole_runs
from deixis.regions.clipping import clip_outline, clip_stroke
from deixis.regions.frames import PIXELS, Frame, shown
from deixis.regions.raster import fill_polygon, stroke_pixels

MOST_POINTS = 20_000
EDGE_SLACK = 1e-9  # share of a side that rounding may put outside of it


def require_same_frame(first: Frame, second: Frame) -> None:
    """Raise FrameMismatch, with the way out, unless two frames are one."""
    if not frames.same_frame(first, second):
        raise FrameMismatch(
            f"one region is in frame {first}, the other in {second}; convert one: region.to(other.frame) "
            "(after region.bind(picture.frame) if a frame is not bound)"
        )


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
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def intersection(self, other: Box) -> float:
        """Return the area shared with a box of the same frame."""
        require_same_frame(self.frame, other.frame)
        wide = min(self.x1, other.x1) - max(self.x0, other.x0)
        high = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(wide, 0.0) * max(high, 0.0)

    def iou(self, other: Box) -> float:
        """Return intersection over union with a box of the same frame."""
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared)

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
        edges = (max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, width), min(box.y1, height))
        if edges[0] >= edges[2] or edges[1] >= edges[3]:
            raise outside(self, original)
        if not np.allclose(edges, box.as_tuple(), rtol=0, atol=EDGE_SLACK * max(width, height)):
            warn_clipped(self, original)
        return Box(*edges, frame=original)

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the pixels (H, W) of the frame whose centres the box covers."""
        width, height = self.frame.size
        xs, ys = np.arange(round(width)) + 0.5, np.arange(round(height)) + 0.5
        return np.outer((ys >= self.y0) & (ys < self.y1), (xs >= self.x0) & (xs < self.x1))


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
            raise outside(self, original)
        return Point(min(max(point.x, 0.0), width), min(max(point.y, 0.0), height), frame=original)

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the one pixel (H, W) of the frame that holds the point."""
        return stroke_pixels([(self.x, self.y)], *self.frame.size)


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
            raise outside(self, original)
        warn_clipped(self, original)
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


@dataclass(frozen=True)
class Mask:
    """A set of pixels, kept as COCO run lengths (``rle.encode_runs``) of a ``height`` x ``width`` grid.

    >>> Mask.from_array(np.eye(3, dtype=bool)).area
    3
    """

    runs: tuple[int, ...]
    height: int
    width: int
    frame: Frame = field(default=PIXELS, kw_only=True)

    def __post_init__(self) -> None:
        frames.require_frame(self.frame)
        object.__setattr__(self, "runs", whole_runs(self.runs))
        for side in ("height", "width"):
            object.__setattr__(self, side, whole(getattr(self, side), side))
        rle.decode_runs(list(self.runs), height=self.height, width=self.width)
        if self.area == 0:
            raise BadRegion("the mask is empty; expected at least one pixel that is not 0")
        if self.frame.kind in ("unit", "thousandths"):
            raise FrameMismatch(f"a mask is made of pixels; it cannot be in frame {self.frame.kind}")
        if self.frame.bound and (self.width, self.height) != tuple(map(round, self.frame.size)):
            raise BadRegion(f"the mask has {self.width} x {self.height} pixels, its frame is {self.frame}")

    @classmethod
    def from_array(cls, mask: NDArray[np.generic], *, frame: Frame = PIXELS) -> Self:
        """Return the mask of an array (H, W), where anything but 0 belongs to it."""
        try:
            array = np.asarray(mask)
        except ValueError as fault:  # rows of unequal length
            raise BadRegion(f"a mask is an array of height x width; got {shown(mask)}") from fault
        if array.ndim != 2 or array.size == 0:
            raise BadRegion(f"a mask is an array of height x width; got shape {array.shape}")
        return cls(tuple(rle.encode_runs(array != 0)), *array.shape, frame=frame)

    @classmethod
    def from_coco(cls, encoded: dict[str, object], *, frame: Frame = PIXELS) -> Self:
        """Return the mask of COCO's ``{"size": [h, w], "counts": …}``, compressed or not."""
        if not isinstance(encoded, Mapping):
            raise BadRegion(f"a COCO mask is {{'size': …, 'counts': …}}; got {shown(encoded)}")
        size, counts = encoded.get("size"), encoded.get("counts")
        if not (isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(s, int) for s in size)):
            raise BadRegion(f"a COCO mask needs 'size': [height, width]; got {shown(size)}")
        if isinstance(counts, bytes):
            counts = counts.decode("ascii", errors="replace")
        if isinstance(counts, str):
            counts = rle.decompress(counts)
        if not isinstance(counts, list) or not all(isinstance(run, int) for run in counts):
            raise BadRegion("a COCO mask needs 'counts': a string or a list of whole numbers")
        return cls(tuple(counts), int(size[0]), int(size[1]), frame=frame)

    def to_coco(self) -> dict[str, object]:
        """Return ``{"size": [h, w], "counts": compressed string}`` as COCO tools read it."""
        return {"size": [self.height, self.width], "counts": rle.compress(list(self.runs))}

    @property
    def area(self) -> int:
        """The number of pixels."""
        return sum(self.runs[1::2])

    def rasterise(self) -> NDArray[np.bool_]:
        """Return the pixels (H, W)."""
        return rle.decode_runs(list(self.runs), height=self.height, width=self.width)

    def iou(self, other: Mask) -> float:
        """Return intersection over union with a mask of the same frame and size."""
        require_same_frame(self.frame, other.frame)
        if (self.height, self.width) != (other.height, other.width):
            raise BadRegion(
                f"masks of {self.width} x {self.height} and {other.width} x {other.height} cannot be compared"
            )
        first, second = self.rasterise(), other.rasterise()
        return float((first & second).sum() / (first | second).sum())

    def bounds(self) -> Box:
        """Return the smallest box around the pixels."""
        pixels = self.rasterise()
        ys, xs = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        return Box(float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1), frame=self.frame)

    def bind(self, original: Frame) -> Self:
        """Return the mask as one of the picture ``original``; BadRegion if it has another size."""
        return replace(self, frame=frames.bind(self.frame, original))

    def to(self, frame: Frame) -> Self:
        """Return the mask on another frame's pixels (each takes the nearest one of ours).

        BadRegion if no pixel is left, as may happen to a small mask in a much smaller picture.
        """
        frames.require_frame(frame)
        width, height = (round(side) for side in frame.size)
        corner = frames.convert([[0.5, 0.5], [width - 0.5, height - 0.5]], frame, self.frame)
        xs = np.floor(np.linspace(corner[0, 0], corner[1, 0], width)).astype(int)
        ys = np.floor(np.linspace(corner[0, 1], corner[1, 1], height)).astype(int)
        pixels = self.rasterise()[np.ix_(np.clip(ys, 0, self.height - 1), np.clip(xs, 0, self.width - 1))]
        pixels &= np.outer((ys >= 0) & (ys < self.height), (xs >= 0) & (xs < self.width))
        return type(self).from_array(pixels, frame=frame)

    def clipped(self, original: Frame) -> Mask:
        """Return the mask bound to ``original``, whose size it must have."""
        mask = self.bind(original)
        return mask if mask.frame == original else mask.to(original)


Region = Point | Box | Polygon | Scribble | Mask


def outside(region: Region | Outline, original: Frame) -> BadRegion:
    """Return the error for a region that no part of the picture belongs to."""
    return BadRegion(
        f"{type(region).__name__.lower()} {describe(region)} in frame {region.frame} lies outside the "
        "picture "
        f"{original}; are the coordinates in another frame (pixels, unit, thousandths)?"
    )


def warn_clipped(region: Region | Outline, original: Frame) -> None:
    """Warn that a region was cut at the picture's edge."""
    warnings.warn(
        f"{type(region).__name__.lower()} {describe(region)} sticks out of the picture {original}; it was "
        "cut at its edge",
        RegionClipped,
        stacklevel=4,
    )


def describe(region: Region | Outline) -> str:
    """Return the coordinates of a region, shortened for messages."""
    if isinstance(region, Mask):
        return f"of {region.area} pixels"
    if isinstance(region, Box):
        numbers: Iterable[float] = region.as_tuple()
    elif isinstance(region, Point):
        numbers = (region.x, region.y)
    else:
        numbers = [value for point in region.points[:4] for value in point]
    return "(" + ", ".join(f"{number:g}" for number in numbers) + ")"

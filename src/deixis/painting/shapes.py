"""Forms of clean marks: outlines and curves in pixels of the picture, all of them inside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from deixis.painting.kinds import Kind
from deixis.painting.silhouette import XY, Edges, bounds_of
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

ROUNDER = 1.12  # how much wider than a box the ellipse around it is
DIRECTIONS = 24  # in which room for an arrow is looked for
CURVE_POINTS = 96


@dataclass(frozen=True)
class Form:
    """What is drawn of a mark.

    lines: open or closed curves, drawn as lines. filled: outlines whose inside is filled. pixels: a mask
    (H, W) whose edge (or, for kind "mask", inside) is drawn.
    """

    lines: tuple[tuple[XY, ...], ...] = ()
    filled: tuple[tuple[XY, ...], ...] = ()
    pixels: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Space:
    """The picture that forms stay in. line: width of lines in pixels."""

    width: int
    height: int
    line: float

    @property
    def margin(self) -> float:
        """How far from the picture's edge the middle of a line stays."""
        return min(self.line, (self.width - 1) / 2, (self.height - 1) / 2)

    def kept(self, box: Edges, *, least: float = 0.0) -> Edges:
        """Return a box of at least so many pixels a side, moved and cut to the inside of the picture."""
        edges = []
        for low, high, side in ((box[0], box[2], self.width), (box[1], box[3], self.height)):
            middle, half = (low + high) / 2, max(high - low, least) / 2
            first, last = self.margin, side - self.margin
            half = min(half, (last - first) / 2)
            middle = min(max(middle, first + half), last - half)
            edges.append((max(middle - half, first), min(middle + half, last)))
        (x0, x1), (y0, y1) = edges
        return x0, y0, x1, y1

    def inside(self, point: XY) -> XY:
        """Return a point moved into the picture."""
        return (
            min(max(point[0], self.margin), self.width - self.margin),
            min(max(point[1], self.margin), self.height - self.margin),
        )


def form_of(kind: Kind, region: Region, space: Space, *, others: tuple[Edges, ...] = ()) -> Form:
    """Return the form of a mark. region: in pixels of the picture. others: what an arrow stays out of."""
    box = region.bounds().as_tuple()
    if kind == "rectangle":
        return Form(lines=(closed(corners(space.kept(box, least=3 * space.line))),))
    if kind == "ellipse":
        return Form(lines=(closed(oval(space.kept(wider(box, ROUNDER), least=4 * space.line))),))
    if kind == "point":
        reach = min(1.7 * space.line, space.width / 2, space.height / 2)
        x, y = middle_of(region)
        x, y = min(max(x, reach), space.width - reach), min(max(y, reach), space.height - reach)
        return Form(filled=(oval((x - reach, y - reach, x + reach, y + reach)),))
    if kind == "triangle":
        x0, y0, x1, y1 = space.kept(box, least=5 * space.line)
        return Form(lines=(closed((((x0 + x1) / 2, y0), (x1, y1), (x0, y1))),))
    if kind == "scribble":
        return Form(lines=(tuple(space.inside(at) for at in stroke(region)),))
    if kind == "arrow":
        return arrow(region, space, others)
    return outlined(region, space)


def outlined(region: Region, space: Space) -> Form:
    """Return the outline of a region, for its contour and its mask."""
    if isinstance(region, Mask):
        return Form(pixels=region.rasterise())
    x0, y0, x1, y1 = region.bounds().as_tuple()
    if isinstance(region, Polygon) and max(x1 - x0, y1 - y0) >= 3 * space.line:
        return Form(lines=(closed(tuple(space.inside(at) for at in region.points)),), filled=(region.points,))
    edges = space.kept((x0, y0, x1, y1), least=3 * space.line)
    return Form(lines=(closed(corners(edges)),), filled=(corners(edges),))


def middle_of(region: Region) -> XY:
    """Return a point of a region near its middle."""
    if isinstance(region, Point):
        return region.x, region.y
    if isinstance(region, Scribble):
        return region.points[len(region.points) // 2]
    x0, y0, x1, y1 = region.bounds().as_tuple()
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    if isinstance(region, Box):
        return middle
    rows, columns = np.nonzero(region.rasterise())
    if not len(rows):
        return middle
    nearest = int(np.argmin((columns + 0.5 - middle[0]) ** 2 + (rows + 0.5 - middle[1]) ** 2))
    return float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5


def stroke(region: Region) -> tuple[XY, ...]:
    """Return a scribble's own points; for other regions a wave through the middle of their bounds."""
    if isinstance(region, Scribble):
        return region.points if len(region.points) > 1 else region.points * 2
    x0, y0, x1, y1 = region.bounds().as_tuple()
    t = np.linspace(-1, 1, CURVE_POINTS)
    along, across = 0.6 * t, 0.3 * np.sin(2.5 * pi * t)
    if x1 - x0 < y1 - y0:
        along, across = across, along
    xs = (x0 + x1) / 2 + along * (x1 - x0) / 2
    ys = (y0 + y1) / 2 + across * (y1 - y0) / 2
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))


def arrow(region: Region, space: Space, others: tuple[Edges, ...]) -> Form:
    """Return an arrow whose tip lies in the region and whose tail is where there is room for it."""
    tip = space.inside(middle_of(region))
    wanted = max(10 * space.line, 0.12 * max(space.width, space.height))
    head = min(4 * space.line, wanted / 2)

    def tail(direction: int) -> XY:
        angle = 2 * pi * direction / DIRECTIONS - 3 * pi / 4  # from above on the left first, as people point
        return tip[0] + wanted * cos(angle), tip[1] + wanted * sin(angle)

    def room(direction: int) -> tuple[float, float, int]:
        end = tail(direction)
        kept = space.inside(end)
        free = sum(x0 <= kept[0] <= x1 and y0 <= kept[1] <= y1 for x0, y0, x1, y1 in others)
        return (
            -free,
            round(hypot(kept[0] - tip[0], kept[1] - tip[1]) - hypot(end[0] - kept[0], end[1] - kept[1]), 1),
            -direction,
        )

    end = space.inside(tail(max(range(DIRECTIONS), key=room)))
    length = hypot(end[0] - tip[0], end[1] - tip[1]) or 1.0
    x, y = (end[0] - tip[0]) / length, (end[1] - tip[1]) / length
    head = min(head, length)
    wing = 0.55 * head
    base = (tip[0] + head * x, tip[1] + head * y)
    points = (tip, (base[0] - wing * y, base[1] + wing * x), (base[0] + wing * y, base[1] - wing * x))
    return Form(lines=((base, end),), filled=(tuple(space.inside(point) for point in points),))


def corners(box: Edges) -> tuple[XY, ...]:
    """Return the corners of a box."""
    x0, y0, x1, y1 = box
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def closed(points: tuple[XY, ...]) -> tuple[XY, ...]:
    """Return a curve that ends where it begins."""
    return (*points, points[0])


def oval(box: Edges) -> tuple[XY, ...]:
    """Return points of the ellipse in a box."""
    x0, y0, x1, y1 = box
    angles = np.linspace(0, 2 * pi, CURVE_POINTS, endpoint=False)
    xs = (x0 + x1) / 2 + np.cos(angles) * (x1 - x0) / 2
    ys = (y0 + y1) / 2 + np.sin(angles) * (y1 - y0) / 2
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))


def wider(box: Edges, by: float) -> Edges:
    """Return a box enlarged around its middle."""
    x0, y0, x1, y1 = box
    x, y, half_wide, half_high = (x0 + x1) / 2, (y0 + y1) / 2, by * (x1 - x0) / 2, by * (y1 - y0) / 2
    return x - half_wide, y - half_high, x + half_wide, y + half_high


def reach_of(form: Form) -> Edges:
    """Return the box around all points of a form; its pixels are not looked at.

    >>> reach_of(Form(lines=(((0, 1), (4, 3)),)))
    (0, 1, 4, 3)
    """
    return bounds_of([*form.lines, *form.filled])

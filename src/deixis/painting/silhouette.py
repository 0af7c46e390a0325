"""What a mark is painted for: a box, and the outline of the thing in it where it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

XY = tuple[float, float]
Edges = tuple[float, float, float, float]
LEAST_CORNERS = 3
MANY = 16  # polygons from which on arrays are faster than loops


@dataclass(frozen=True)
class Silhouette:
    """A region in pixels of the picture.

    box: x0, y0, x1, y1. polygons: the outlines of its parts, none if only the box is known.
    """

    box: Edges
    polygons: tuple[tuple[XY, ...], ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether there are outlines and all of them have an inside."""
        return bool(self.polygons) and all(len(polygon) >= LEAST_CORNERS for polygon in self.polygons)


def bounds_of(polygons: Sequence[Sequence[XY]]) -> Edges:
    """Return the smallest box around all points.

    >>> bounds_of([[(1, 2), (3, 0)], [(2, 5)]])
    (1, 0, 3, 5)
    """
    xs = [x for polygon in polygons for x, _ in polygon]
    ys = [y for polygon in polygons for _, y in polygon]
    return min(xs), min(ys), max(xs), max(ys)


def contains(polygons: Sequence[Sequence[XY]], point: XY) -> bool:
    """Tell whether a point lies strictly inside one of the polygons (even-odd rule).

    >>> square = [(0, 0), (2, 0), (2, 2), (0, 2)]
    >>> contains([square], (1, 1)), contains([square], (3, 1))
    (True, False)
    """
    return any(_inside(polygon, point) for polygon in polygons)


def _inside(polygon: Sequence[XY], point: XY) -> bool:
    x, y = point
    odd = False
    for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            odd = not odd
    return odd


def insides(polygons: Sequence[Sequence[XY]]) -> Callable[[XY], bool]:
    """Return a function that says what ``contains`` says of these polygons, fast where they are many."""
    if len(polygons) < MANY:
        return lambda point: contains(polygons, point)
    corners = np.array([corner for polygon in polygons for corner in polygon])  # (n, 2)
    following = np.array([corner for polygon in polygons for corner in (*polygon[1:], polygon[0])])
    firsts = [0, *accumulate(len(polygon) for polygon in polygons[:-1])]

    def inside(point: XY) -> bool:
        x, y = point
        crossing = (corners[:, 1] > y) != (following[:, 1] > y)
        (x0, y0), (x1, y1) = corners[crossing].T, following[crossing].T
        crossing[crossing] = x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        return bool((np.add.reduceat(crossing, firsts, dtype=np.int64) % 2).any())

    return inside

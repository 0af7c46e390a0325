"""Boxes, outlines and strokes cut at the edges of a picture; what stays is what was there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deixis.regions.raster import fill_polygon

XY = tuple[float, float]
Edges = tuple[float, float, float, float]


def clip_place(place: XY, *, width: float, height: float) -> XY:
    """Return the place in (0, 0, width, height) that is nearest to one.

    >>> clip_place((-1, 2.5), width=4, height=2)
    (0.0, 2.0)
    """
    return min(max(float(place[0]), 0.0), float(width)), min(max(float(place[1]), 0.0), float(height))


def clip_edges(edges: Edges, *, width: float, height: float) -> Edges:
    """Return x0 y0 x1 y1 cut at the edges of a picture; of a box outside of it no area is left.

    >>> clip_edges((-2, 1, 2, 9), width=4, height=4)
    (0.0, 1.0, 2.0, 4.0)
    """
    x0, y0 = clip_place(edges[:2], width=width, height=height)
    x1, y1 = clip_place(edges[2:], width=width, height=height)
    return x0, y0, x1, y1


def clip_boxes(boxes: NDArray[np.float64], extent: Sequence[float]) -> NDArray[np.float64]:
    """Return boxes (n, 4) xyxy, cut at the edges of a picture of that width and height.

    >>> clip_boxes(np.array([[-2.0, 1, 2, 9]]), (4, 4)).tolist()
    [[0.0, 1.0, 2.0, 4.0]]
    """
    return np.clip(boxes, 0, np.tile(extent, 2))


def clip_outline(points: Sequence[XY], width: float, height: float) -> list[XY]:
    """Return the part of a closed outline inside (0, 0, width, height); no points if there is none.

    It covers the same inside by the even-odd rule; parts that are not connected are joined along the edges.

    >>> clip_outline([(-2, 1), (2, 1), (2, 3), (-2, 3)], 4, 4)
    [(0.0, 1.0), (2.0, 1.0), (2.0, 3.0), (0.0, 3.0)]
    """
    kept = [(float(x), float(y)) for x, y in points]
    for axis, edge, side in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        entering = kept
        kept = []
        for number, end in enumerate(entering):
            start = entering[number - 1]
            if (side * (start[axis] - edge) < 0) != (side * (end[axis] - edge) < 0):
                kept.append(crossing(start, end, axis=axis, edge=edge))
            if side * (end[axis] - edge) >= 0:
                kept.append(end)
    return kept if covers(kept, width, height) else []


def crossing(start: XY, end: XY, *, axis: int, edge: float) -> XY:
    """Return where a line crosses x = edge (axis 0) or y = edge (axis 1)."""
    share = (edge - start[axis]) / (end[axis] - start[axis])
    across = start[1 - axis] + share * (end[1 - axis] - start[1 - axis])
    return (edge, across) if axis == 0 else (across, edge)


def covers(outline: Sequence[XY], width: float, height: float) -> bool:
    """Whether a cut outline has an inside, and is not only what remains of an outside along the edges."""
    if len(outline) < 3:
        return False
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if not ((x0 == x1 and x0 in (0, width)) or (y0 == y1 and y0 in (0, height))):
            return True
    # Along the edges alone: either around the whole picture or around none of it.
    return bool(fill_polygon([(x / width, y / height) for x, y in outline], 1, 1)[0, 0])


def clip_stroke(points: Sequence[XY], width: float, height: float) -> list[XY]:
    """Return the part of a stroke inside (0, 0, width, height); no points if there is none.

    A stroke that leaves and comes back goes straight from where it left to where it came back.

    >>> clip_stroke([(-4, 0), (4, 8)], 6, 6)
    [(0.0, 4.0), (2.0, 6.0)]
    """
    kept: list[XY] = []
    for start, end in pairwise(points if len(points) > 1 else [points[0], points[0]]):
        for point in clip_line(start, end, width, height):
            if not kept or kept[-1] != point:
                kept.append(point)
    return kept


def clip_line(start: XY, end: XY, width: float, height: float) -> list[XY]:
    """Return both ends of the part of a line inside (0, 0, width, height), or nothing."""
    first, last = 0.0, 1.0
    for axis, extent in ((0, width), (1, height)):
        step = end[axis] - start[axis]
        if step == 0:
            if not 0 <= start[axis] <= extent:
                return []
            continue
        low, high = sorted(((0 - start[axis]) / step, (extent - start[axis]) / step))
        first, last = max(first, low), min(last, high)
    if first > last:
        return []
    ends = [[start[axis] + share * (end[axis] - start[axis]) for axis in (0, 1)] for share in (first, last)]
    # Rounding may put a crossing just outside.
    return [clip_place((x, y), width=width, height=height) for x, y in ends]

"""Places between thousandths of what Florence-2 saw and pixels of the original picture.

A side is cut in 1,000 bins; a number stands for the middle of its bin (Xiao et al., 2023, section 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.answers.grounded import Place
from deixis.regions.clipping import clip_edges, clip_outline
from deixis.regions.frames import Frame, convert
from deixis.regions.shapes import Box, Mask, Polygon, Region
from deixis.systems.florence_vl.places.reading import WrittenPlace
from deixis.systems.florence_vl.places.tokens import BINS

XY = tuple[float, float]


def bins_of(region: Region, view: Frame) -> tuple[int, int, int, int]:
    """Return the bins that the edges of the box around a region lie in, x0 y0 x1 y1.

    >>> picture = Frame.original(200, 100)
    >>> bins_of(Box(0, 50, 100.1, 100, frame=picture), picture.resized(768, 768))
    (0, 500, 500, 999)
    """
    edges = np.array(region.bounds().to(view).as_tuple()) / np.tile(view.size, 2) * BINS
    x0, y0, x1, y1 = np.clip(np.floor(edges), 0, BINS - 1).astype(int).tolist()
    return x0, y0, x1, y1


def points_of(bins: Sequence[int], *, view: Frame, original: Frame) -> list[XY]:
    """Return bins, x and y in turn, as points in pixels of the original; they may lie in the padding.

    >>> picture = Frame.original(200, 100)
    >>> points_of([0, 999], view=picture.resized(768, 768), original=picture)
    [(0.1, 99.95)]
    """
    centres = (np.asarray(bins, dtype=np.float64).reshape(-1, 2) + 0.5) / BINS * np.array(view.size)
    return [(float(x), float(y)) for x, y in convert(centres, view, original).tolist()]


def place_of(written: WrittenPlace, *, view: Frame, original: Frame, score: float) -> Place | None:
    """Return a place in pixels of the original, cut at its edges; None where all of it is in the padding.

    Of an outline the box around it, with the mask of its inside.
    """
    width, height = original.size
    parts = [points_of(bins, view=view, original=original) for bins in written.bins]
    if written.is_box:
        ((low, high),) = parts
        edges = clip_edges((*low, *high), width=width, height=height)
        if edges[0] >= edges[2] or edges[1] >= edges[3]:
            return None
        return Place(Box(*edges, frame=original), score)
    inside = [part for points in parts if len(part := clip_outline(points, width, height)) >= Polygon.least]
    if not inside:
        return None
    outlines = [Polygon(tuple(part), frame=original) for part in inside]
    around = Polygon(tuple(point for part in inside for point in part), frame=original).bounds()
    pixels = np.logical_or.reduce([one.rasterise() for one in outlines])
    mask = Mask.from_array(pixels, frame=original) if pixels.any() else None  # thinner than a pixel: a box
    edges = clip_edges(around.as_tuple(), width=width, height=height)
    return Place(Box(*edges, frame=original), score, mask)

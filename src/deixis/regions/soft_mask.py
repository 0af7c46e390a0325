"""A region of any kind as a distribution over the cells of a coarse grid: what its token averages over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.regions.raster import fill_polygon, stroke_points
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

POINT_SPREAD = 0.6  # standard deviation of a point's weight, in cells
FINENESS = 4  # a polygon is sampled this many times a cell, on each axis


def soft_mask(region: Region, *, height: int, width: int) -> NDArray[np.float32]:
    """Return weights (height, width) that are not negative and sum to 1, over the cells of the region's
    frame.

    Boxes are weighed by the exact share of each cell that they cover, points and strokes by a Gaussian,
    polygons and masks by sampled coverage; one too small to be sampled counts as its bounding box.

    >>> from deixis.regions.frames import Frame
    >>> soft_mask(Box(0, 0, 6, 4, frame=Frame.original(8, 8)), height=2, width=2).round(2).tolist()
    [[0.6700000166893005, 0.33000001311302185], [0.0, 0.0]]
    """
    cell = np.array(region.frame.size) / [width, height]
    match region:
        case Box():
            weights = box_coverage(region, cell, height=height, width=width)
        case Point():
            weights = gaussians(np.array([[region.x, region.y]]) / cell, height=height, width=width)
        case Scribble():
            along = stroke_points([tuple(p) for p in np.array(region.points) / cell], step=0.25)
            weights = gaussians(along, height=height, width=width)
        case Polygon():
            scaled = [tuple(p) for p in np.array(region.points) / cell * FINENESS]
            weights = pooled(
                fill_polygon(scaled, width * FINENESS, height * FINENESS), height=height, width=width
            )
        case Mask():
            weights = pooled(region.rasterise(), height=height, width=width)
    if weights.sum() <= 0:
        weights = box_coverage(region.bounds(), cell, height=height, width=width)
    if weights.sum() <= 0:  # on the very edge of the frame: the nearest cell
        centre = np.array(region.bounds().as_tuple()).reshape(2, 2).mean(axis=0) / cell
        x, y = np.clip(centre.astype(int), 0, [width - 1, height - 1])
        weights[y, x] = 1.0
    return (weights / weights.sum()).astype(np.float32)


def box_coverage(box: Box, cell: NDArray[np.float64], *, height: int, width: int) -> NDArray[np.float64]:
    """Return how much (height, width) of each cell a box covers, exactly."""

    def axis(low: float, high: float, count: int) -> NDArray[np.float64]:
        edges = np.arange(count + 1)
        return np.maximum(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0)

    return np.outer(
        axis(box.y0 / cell[1], box.y1 / cell[1], height), axis(box.x0 / cell[0], box.x1 / cell[0], width)
    )


def gaussians(points: NDArray[np.float64], *, height: int, width: int) -> NDArray[np.float64]:
    """Return the sum (height, width) of Gaussians around points (n, 2) given in cells."""
    xs = np.exp(-((np.arange(width) + 0.5 - points[:, :1]) ** 2) / (2 * POINT_SPREAD**2))
    ys = np.exp(-((np.arange(height) + 0.5 - points[:, 1:]) ** 2) / (2 * POINT_SPREAD**2))
    return ys.T @ xs


def pooled(pixels: NDArray[np.bool_], *, height: int, width: int) -> NDArray[np.float64]:
    """Return the share (height, width) of pixels (H, W) set in each cell; H and W need not be multiples."""
    table = np.pad(np.cumsum(np.cumsum(pixels, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
    ys = np.linspace(0, pixels.shape[0], height + 1)
    xs = np.linspace(0, pixels.shape[1], width + 1)
    # The table of sums, read between its entries, gives exact sums over fractional cells.
    rows = interpolated(table, ys, axis=0)
    corners = interpolated(rows, xs, axis=1)
    return np.maximum(np.diff(np.diff(corners, axis=0), axis=1), 0.0)


def interpolated(table: NDArray[np.float64], at: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Return ``table`` read linearly at fractional positions along one axis."""
    low = np.minimum(np.floor(at).astype(int), table.shape[axis] - 2)
    share = np.expand_dims(at - low, 1 - axis)
    return np.take(table, low, axis) * (1 - share) + np.take(table, low + 1, axis) * share

"""Regions as a hand would give them: a box jittered, or a point, stroke or outline inside it."""

from __future__ import annotations

import numpy as np

from deixis.regions.clipping import clip_boxes
from deixis.regions.shapes import Box, Point, Polygon, Region, Scribble

JITTER = 0.08  # of width and height, on each edge
ANYWHERE = 0.45  # of width and height, to each side of the middle: people point near edges too


def perturbed_region(box: Box, rng: np.random.Generator) -> Region:
    """Draw a region of any kind that means the thing in ``box``, in the same frame."""
    kind = rng.random()
    if kind < 0.4:
        return jittered(box, rng)
    if kind < 0.7:
        return inner_point(box, rng, spread=ANYWHERE)
    if kind < 0.88:
        return inner_scribble(box, rng, spread=ANYWHERE)
    return outline(jittered(box, rng), rng)


def jittered(box: Box, rng: np.random.Generator) -> Box:
    """Move every edge by up to ``JITTER`` of the size, inside the frame."""
    x0, y0, x1, y1 = box.as_tuple()
    size = np.array([x1 - x0, y1 - y0] * 2)
    moved = np.array([x0, y0, x1, y1]) + rng.uniform(-JITTER, JITTER, size=4) * size
    width, height = box.frame.width or np.inf, box.frame.height or np.inf
    moved = clip_boxes(moved, (width, height))
    return Box(*(float(value) for value in moved), frame=box.frame)


def inner_point(box: Box, rng: np.random.Generator, *, spread: float = 0.3) -> Point:
    """Draw a point near the middle: uniform over the central ``2 * spread`` of width and height."""
    x0, y0, x1, y1 = box.as_tuple()
    dx, dy = rng.uniform(-spread, spread, size=2)
    return Point(
        (x0 + x1) / 2 + float(dx) * (x1 - x0), (y0 + y1) / 2 + float(dy) * (y1 - y0), frame=box.frame
    )


def inner_scribble(box: Box, rng: np.random.Generator, *, points: int = 12, spread: float = 0.35) -> Scribble:
    """Draw a smooth stroke through the middle: a cubic Bezier curve with four random control points."""
    x0, y0, x1, y1 = box.as_tuple()
    control = rng.uniform(-spread, spread, size=(4, 2)) * [x1 - x0, y1 - y0] + [(x0 + x1) / 2, (y0 + y1) / 2]
    t = np.linspace(0, 1, points)[:, None]
    curve = (
        (1 - t) ** 3 * control[0]
        + 3 * (1 - t) ** 2 * t * control[1]
        + 3 * (1 - t) * t**2 * control[2]
        + t**3 * control[3]
    )
    return Scribble(tuple((float(x), float(y)) for x, y in curve), frame=box.frame)


def outline(box: Box, rng: np.random.Generator, *, corners: int = 10) -> Polygon:
    """Draw a rough ellipse inside the box, as a lasso would."""
    x0, y0, x1, y1 = box.as_tuple()
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + float(rng.uniform(0, 1))
    radii = rng.uniform(0.85, 1.0, size=corners)
    xs = (x0 + x1) / 2 + np.cos(angles) * radii * (x1 - x0) / 2
    ys = (y0 + y1) / 2 + np.sin(angles) * radii * (y1 - y0) / 2
    return Polygon(tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True)), frame=box.frame)

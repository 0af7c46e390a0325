"""Outlines and strokes to pixels, by the rule that a pixel belongs to what covers its centre."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def box_pixels(edges: tuple[float, float, float, float], width: float, height: float) -> NDArray[np.bool_]:
    """Return the pixels (H, W) whose centres lie in x0 y0 x1 y1.

    >>> box_pixels((0.5, 0, 2.4, 1), 3, 2).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    x0, y0, x1, y1 = edges
    xs, ys = np.arange(round(width)) + 0.5, np.arange(round(height)) + 0.5
    return np.outer((ys >= y0) & (ys < y1), (xs >= x0) & (xs < x1))


def fill_polygon(points: Sequence[tuple[float, float]], width: float, height: float) -> NDArray[np.bool_]:
    """Return the pixels (H, W) whose centres lie inside the closed outline (even-odd rule).

    >>> fill_polygon([(0, 0), (2, 0), (2, 2), (0, 2)], 3, 2).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0]]
    """
    columns, rows = round(width), round(height)
    pixels = np.zeros((rows, columns), dtype=bool)
    corners = np.asarray(points, dtype=np.float64)
    # Outside of the box around the corners nothing is toggled that isn't toggled back.
    # (A column more on each side, for crossings are rounded.)
    aside = np.array([1, 0])
    left, top = np.maximum(np.ceil(corners.min(axis=0) - 0.5) - aside, 0).astype(int).tolist()
    far = np.ceil(corners.max(axis=0) - 0.5) + aside
    right, bottom = np.minimum(far, (columns, rows)).astype(int).tolist()
    if left >= right or top >= bottom:
        return pixels
    # Every edge toggles all pixels to the right of it, row by row.
    toggles = np.zeros((bottom - top, right - left + 1), dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        low, high = sorted((y0, y1))
        first, last = max(int(np.ceil(low - 0.5)), 0), min(int(np.ceil(high - 0.5)), rows)
        if first >= last:
            continue
        crossed = np.arange(first, last)
        xs = x0 + (crossed + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        # An edge crosses each row once, so no place is named twice here.
        toggles[crossed - top, np.clip(np.ceil(xs - 0.5), left, right).astype(int) - left] ^= True
    pixels[top:bottom, left:right] = np.logical_xor.accumulate(toggles, axis=1)[:, :-1]
    return pixels


def stroke_points(points: Sequence[tuple[float, float]], *, step: float) -> NDArray[np.float64]:
    """Return points (n, 2) along a stroke, at most ``step`` apart."""
    corners = np.asarray(points, dtype=np.float64)
    pieces = [corners[:1]]
    for start, end in pairwise(corners):
        count = int(np.clip(np.ceil(np.linalg.norm(end - start) / step), 1, 10_000))
        pieces.append(start + (end - start) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(pieces)


def stroke_pixels(points: Sequence[tuple[float, float]], width: float, height: float) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that a stroke passes; parts outside are left out."""
    pixels = np.zeros((round(height), round(width)), dtype=bool)
    cells = np.floor(stroke_points(points, step=0.5)).astype(int)
    # A stroke along the right or lower edge belongs to the last pixel.
    cells -= (cells == [pixels.shape[1], pixels.shape[0]]).astype(int)
    inside = ((cells >= 0) & (cells < [pixels.shape[1], pixels.shape[0]])).all(axis=1)
    pixels[cells[inside, 1], cells[inside, 0]] = True
    return pixels

"""Slow and plain versions of what regions compute, to compare with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def runs_of(mask: np.ndarray) -> list[int]:
    """Column by column, how many pixels are alike, beginning with those that are not set."""
    runs, current = [0], False
    for x in range(mask.shape[1]):
        for y in range(mask.shape[0]):
            if bool(mask[y, x]) != current:
                runs.append(0)
                current = not current
            runs[-1] += 1
    return runs


def inside(x: float, y: float, corners: Sequence[tuple[float, float]]) -> bool:
    """Whether a ray to the right crosses an odd number of edges."""
    odd = False
    for number, (x1, y1) in enumerate(corners):
        x0, y0 = corners[number - 1]
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            odd = not odd
    return odd


def filled(corners: Sequence[tuple[float, float]], width: int, height: int) -> np.ndarray:
    """The pixels (H, W) whose centres are inside."""
    return np.array([[inside(x + 0.5, y + 0.5, corners) for x in range(width)] for y in range(height)])


def shares(
    x0: float, y0: float, x1: float, y1: float, *, cell: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """How a box is shared out among cells (height, width), by area."""
    height, width = size
    area = np.zeros(size)
    for row in range(height):
        for column in range(width):
            wide = min(x1, (column + 1) * cell[0]) - max(x0, column * cell[0])
            high = min(y1, (row + 1) * cell[1]) - max(y0, row * cell[1])
            area[row, column] = max(wide, 0) * max(high, 0)
    return area / area.sum()

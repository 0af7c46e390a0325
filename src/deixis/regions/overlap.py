"""Areas of boxes and how much they overlap: the one place where it is computed outside of networks.

A box is x0, y0, x1, y1 with continuous edges, or rows of these in an array (n, 4). A box that is empty or the
wrong way round shares nothing with any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Edges = tuple[float, float, float, float]


def area(edges: Sequence[float]) -> float:
    """Return width times height.

    >>> area((1, 2, 4, 4))
    6
    """
    return (edges[2] - edges[0]) * (edges[3] - edges[1])


def areas(boxes: NDArray[Any]) -> NDArray[Any]:
    """Return width times height (n,) of boxes (n, 4).

    >>> areas(np.array([[0, 0, 2, 2], [1, 2, 4, 4]]))
    array([4, 6])
    """
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)


def shared_area(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the area that two boxes share.

    >>> shared_area((0, 0, 4, 2), (2, 0, 6, 2)), shared_area((0, 0, 4, 2), (5, 0, 6, 2))
    (4, 0.0)
    """
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(wide, 0.0) * max(high, 0.0)


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Return intersection over union; 0 where nothing is shared, whatever the order of the edges.

    >>> iou((0, 0, 4, 2), (2, 0, 6, 2)), iou((0, 0, 0, 0), (0, 0, 0, 0)), iou((4, 2, 0, 0), (0, 0, 4, 2))
    (0.3333333333333333, 0.0, 0.0)
    """
    shared = shared_area(first, second)
    return shared / (area(first) + area(second) - shared) if shared > 0 else 0.0


def shared_lengths(sides: NDArray[np.float64], spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of each side (n, 2), from and to, each span (m, 2) shares: (n, m).

    >>> shared_lengths(np.array([[0.0, 4.0]]), np.array([[3.0, 9.0], [5.0, 6.0]]))
    array([[1., 0.]])
    """
    ends = np.minimum(sides[:, 1:], spans[:, 1])
    return np.maximum(ends - np.maximum(sides[:, :1], spans[:, 0]), 0.0)

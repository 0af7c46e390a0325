"""Boxes on the square that Groma sees: carried to it, filtered by size, without those that say nothing new.

Arrays are (n, 4) float32, x0 y0 x1 y1 in pixels of a square of ``side`` pixels, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deixis.regions.overlap import areas, shared_lengths

Boxes = NDArray[np.float32]
SIDE = 448


@dataclass(frozen=True)
class SizeFilter:
    """Which boxes are kept: wider and higher than ``least_side``, of an area between two others."""

    least_side: float = 0.0
    least_area: float = 0.0
    most_area: float = np.inf

    def kept(self, boxes: ArrayLike) -> NDArray[np.bool_]:
        """Return for each box whether it is kept, (n,).

        >>> SizeFilter(least_side=2).kept([[0, 0, 2, 2], [0, 0, 3, 3]]).tolist()
        [False, True]
        """
        own = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
        sides = own[:, 2:] - own[:, :2]
        area = sides[:, 0] * sides[:, 1]
        return (sides > self.least_side).all(axis=1) & (area > self.least_area) & (area < self.most_area)


MIN_SIDE = SizeFilter(least_side=2.0)
"""Of everything but SA-1B."""
SA1B_AREAS = SizeFilter(least_area=14.0 * 14.0, most_area=400.0 * 400.0)
"""Of SA-1B, whose smallest masks are parts of textures and whose largest are whole pictures."""


def on_square(boxes: ArrayLike, *, width: float, height: float, side: int = SIDE) -> Boxes:
    """Return boxes in pixels of a picture as boxes on its square, cut at the edges."""
    own = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    scale = np.array([side / width, side / height] * 2, dtype=np.float32)
    return (own * scale).clip(0, side)


def centred(boxes: ArrayLike, *, side: int = SIDE) -> Boxes:
    """Return boxes on the square as cx cy w h, fractions of its side.

    >>> centred([[0, 0, 224, 448]]).tolist()
    [[0.25, 0.5, 0.5, 1.0]]
    """
    own = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    middle = (own[:, :2] + own[:, 2:]) / np.float32(2)
    return (np.concatenate([middle, own[:, 2:] - own[:, :2]], axis=1) / np.float32(side)).clip(0, 1)


def first_of_each(boxes: ArrayLike) -> NDArray[np.intp]:
    """Return the positions of boxes that no earlier one equals, in order.

    >>> first_of_each([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 1, 1]]).tolist()
    [0, 1]
    """
    own = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if not len(own):
        return np.zeros(0, dtype=np.intp)
    return np.sort(np.unique(own, axis=0, return_index=True)[1])


def suppressed(boxes: ArrayLike, scores: ArrayLike, *, above: float) -> NDArray[np.intp]:
    """Return the positions of boxes that are left by non-maximum suppression, the best first.

    boxes (n, 4) x0 y0 x1 y1; scores (n,). above: a box that overlaps a better one by more (IoU) is left out.
    Of equal scores the earlier box is better.

    >>> suppressed([[0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 6, 6]], [0.1, 0.3, 0.2], above=0.6).tolist()
    [1, 2]
    """
    own = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    wide = shared_lengths(own[:, ::2], own[:, ::2])
    shared = wide * shared_lengths(own[:, 1::2], own[:, 1::2])
    total = areas(own)[:, None] + areas(own)[None] - shared
    overlap = np.divide(shared, total, out=np.zeros_like(shared), where=shared > 0)
    kept: list[int] = []
    for place in np.argsort(-np.asarray(scores), kind="stable").tolist():
        if not (overlap[place, kept] > above).any():
            kept.append(place)
    return np.array(kept, dtype=np.intp)

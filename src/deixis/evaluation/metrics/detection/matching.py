"""Which found boxes are which true ones, at every least overlap: the greedy matching of COCO and LVIS.

Boxes are x y width height in one picture's pixels (Lin et al., 2014; Gupta et al., 2019). Answers list boxes
in their own order; a score, where there is one, goes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deixis.errors import RecordError

Boxes = NDArray[np.float64]
LEAST_OVERLAPS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
"""IoU 0.50, 0.55, …, 0.95; a box of exactly that overlap is found."""
NEARLY_ONE = 1 - 1e-10


@dataclass(frozen=True)
class AreaRange:
    """Sizes of boxes that are counted, in square pixels, both ends included.

    >>> AreaRange("small", 0, 32**2).holds(np.array([1024.0, 1025.0]))
    array([ True, False])
    """

    name: str
    least: float = 0.0
    most: float = 1e10

    def holds(self, areas: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which of some areas (n,) are in the range."""
        return (areas >= self.least) & (areas <= self.most)


ANY = AreaRange("any")
AREA_RANGES = (
    ANY,
    AreaRange("small", 0, 32**2),
    AreaRange("medium", 32**2, 96**2),
    AreaRange("large", 96**2, 1e10),
)


@dataclass(frozen=True)
class Found:
    """Boxes found in one picture under one category, and the true ones.

    boxes: (n, 4), true: (m, 4), x y width height. scores: (n,), None where all are worth the same. areas:
    (m,), of the true things, which may be smaller than their boxes; None for the boxes' own. exhaustive:
    whether all true ones are known; else a box that is none of them is not held against anyone.
    RecordError: shapes that don't fit, or numbers that are none.
    """

    boxes: Boxes
    true: Boxes
    scores: NDArray[np.float64] | None = None
    areas: NDArray[np.float64] | None = None
    exhaustive: bool = True

    def __post_init__(self) -> None:
        for name in ("boxes", "true"):
            given = np.asarray(getattr(self, name), dtype=np.float64).reshape(-1, 4)
            if not np.isfinite(given).all():
                raise RecordError(f"{name} have values that are no finite numbers; expected x y width height")
            object.__setattr__(self, name, given)
        for name, count in (("scores", len(self.boxes)), ("areas", len(self.true))):
            given = getattr(self, name)
            if given is not None and np.shape(given) != (count,):
                raise RecordError(f"{name} have shape {np.shape(given)}; expected ({count},), one a box")

    @property
    def true_areas(self) -> NDArray[np.float64]:
        """The areas of the true things (m,)."""
        return sizes(self.true) if self.areas is None else np.asarray(self.areas, dtype=np.float64)

    def best_first(self, most: int | None = None) -> Found:
        """Return the same with the boxes of the highest scores, at most ``most`` of them, best first."""
        order = np.arange(len(self.boxes))
        if self.scores is not None:
            order = np.argsort(-np.asarray(self.scores), kind="stable")
        order = order[:most]
        scores = None if self.scores is None else np.asarray(self.scores)[order]
        return Found(self.boxes[order], self.true, scores, self.areas, self.exhaustive)


@dataclass(frozen=True)
class Matched:
    """What became of boxes at each least overlap.

    hits: (T, n), a box is a true one. passed_over: (T, n), it counts neither for nor against. counted: (m,),
    which true boxes are to be found. found: (T, m), which of them were.
    """

    hits: NDArray[np.bool_]
    passed_over: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    found: NDArray[np.bool_]


def match(one: Found, *, sizes_counted: AreaRange = ANY, overlaps: Sequence[float] | None = None) -> Matched:
    """Return which boxes are which true ones, the first boxes choosing first.

    A box takes the free true box with which it overlaps most, if that is enough; of several alike the last.
    One that is not counted, for its size, is taken only where no counted one would do, and then the box is
    passed over.
    """
    least = np.asarray(LEAST_OVERLAPS if overlaps is None else overlaps, dtype=np.float64)
    counted = sizes_counted.holds(one.true_areas)
    order = np.argsort(~counted, kind="stable")  # counted ones first
    ious = overlaps_of(one.boxes, one.true)[:, order]
    hits = np.zeros((len(least), len(one.boxes)), dtype=bool)
    passed_over, taken = hits.copy(), np.zeros((len(least), len(one.true)), dtype=bool)
    for row, threshold in enumerate(np.minimum(least, NEARLY_ONE)):
        for box in range(len(one.boxes)):
            at = _best(ious[box], taken[row], counted[order], threshold)
            if at is not None:
                taken[row, at] = hits[row, box] = True
                passed_over[row, box] = not counted[order][at]
    unmatched = ~sizes_counted.holds(sizes(one.boxes)) | (not one.exhaustive)
    found = np.zeros_like(taken)
    found[:, order] = taken
    return Matched(hits, passed_over | (~hits & unmatched), counted, found & counted)


def _best(
    ious: NDArray[np.float64], taken: NDArray[np.bool_], counted: NDArray[np.bool_], threshold: float
) -> int | None:
    for some in (counted, ~counted):
        enough = np.flatnonzero(some & ~taken & (ious >= threshold))
        if len(enough):
            alike = enough[ious[enough] == ious[enough].max()]
            return int(alike[-1])
    return None


def sizes(boxes: Boxes) -> NDArray[np.float64]:
    """Return width times height (n,) of boxes x y width height (n, 4)."""
    return boxes[:, 2] * boxes[:, 3]


def overlaps_of(boxes: Boxes, true: Boxes) -> NDArray[np.float64]:
    """Return intersection over union (n, m) of boxes x y width height; 0 where nothing is shared.

    >>> overlaps_of(np.array([[0.0, 0, 4, 2]]), np.array([[2.0, 0, 4, 2], [9, 9, 1, 1]]))
    array([[0.33333333, 0.        ]])
    """
    ends, true_ends = boxes[:, None, :2] + boxes[:, None, 2:], true[None, :, :2] + true[None, :, 2:]
    sides = np.minimum(ends, true_ends) - np.maximum(boxes[:, None, :2], true[None, :, :2])  # (n, m, 2)
    shared = np.prod(np.maximum(sides, 0.0), axis=2)
    union = sizes(boxes)[:, None] + sizes(true)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)

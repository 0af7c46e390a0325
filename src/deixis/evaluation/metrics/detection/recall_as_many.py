"""Recall with as many boxes as there are things: AS-MANY, how LVIS-Ground is scored (Groma, appendix B)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.evaluation.metrics.detection.matching import AREA_RANGES, LEAST_OVERLAPS, Found, Matched, match


def as_many(one: Found) -> Found:
    """Return the same with the first k boxes only, k being the number of true ones.

    >>> len(as_many(Found(np.ones((5, 4)), np.ones((2, 4)))).boxes)
    2
    """
    return one.best_first(len(one.true))


def found_as_many(one: Found) -> Matched:
    """Return what the first k boxes are, whatever the sizes of true ones."""
    return match(as_many(one))


def recall_as_many(pictures: Iterable[Found]) -> dict[str, float | None]:
    """Return the share of all true boxes that are found, a mean over least overlaps 0.50, 0.55, …, 0.95.

    AR of all, AR50 and AR75 at one least overlap, ARs, ARm and ARl of the true boxes of a size; None of
    nothing. All true boxes count alike, whatever their category.
    """
    found: list[NDArray[np.bool_]] = []
    areas: list[NDArray[np.float64]] = []
    for one in pictures:
        found.append(found_as_many(one).found)
        areas.append(one.true_areas)
    together = np.concatenate(found, axis=1) if found else np.zeros((len(LEAST_OVERLAPS), 0), dtype=bool)
    sizes = np.concatenate(areas) if areas else np.zeros(0)
    table = {"AR": share(together), "AR50": share(together, rows=[0]), "AR75": share(together, rows=[5])}
    for area in AREA_RANGES[1:]:
        table[f"AR{area.name[0]}"] = share(together[:, area.holds(sizes)])
    return table


def share(found: NDArray[np.bool_], *, rows: Sequence[int] | None = None) -> float | None:
    """Return the share of true values of some rows (T, m); None of nothing."""
    chosen = found if rows is None else found[list(rows)]
    return float(chosen.mean()) if chosen.size else None

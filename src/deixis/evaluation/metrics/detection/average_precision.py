"""Average precision and recall over categories, as LVIS counts them (Gupta et al., 2019); COCO's are the same
where everything is annotated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from deixis.errors import RecordError
from deixis.evaluation.metrics.detection.matching import (
    ANY,
    AREA_RANGES,
    LEAST_OVERLAPS,
    AreaRange,
    Found,
    Matched,
    match,
)

MOST_BOXES = 300  # of a picture, for LVIS
RECALLS = np.linspace(0.0, 1.0, 101)
FREQUENCIES: Mapping[str, str] = MappingProxyType({"r": "APr", "c": "APc", "f": "APf"})
EMPTY = -1.0  # the mean of nothing, as the published programs print it


@dataclass(frozen=True)
class CategoryCurves:
    """What was found of one category, over sizes A and least overlaps T.

    precisions: (A, T, 101), at recalls 0, 0.01, …; recalls: (A, T), with all boxes. Rows of sizes of which
    there is no true box are nan.
    """

    precisions: NDArray[np.float64]
    recalls: NDArray[np.float64]


@dataclass(frozen=True)
class CategoryFound:
    """A category of a benchmark: how frequent it is ("r", "c" or "f"; "" unknown), and picture by picture
    what was found of it. pictures: by the picture's number; order means nothing."""

    pictures: Mapping[int, Found]
    frequency: str = ""


def category_curves(pictures: Mapping[int, Found], *, most: int = MOST_BOXES) -> CategoryCurves:
    """Return precision and recall of one category; boxes of one score count in the pictures' order."""
    kept = [pictures[number].best_first(most) for number in sorted(pictures)]
    scores = np.concatenate(
        [np.ones(len(one.boxes)) if one.scores is None else np.asarray(one.scores) for one in kept]
        or [np.zeros(0)]
    )
    order = np.argsort(-scores, kind="stable")
    shape = (len(AREA_RANGES), len(LEAST_OVERLAPS))
    precisions, recalls = np.full((*shape, len(RECALLS)), np.nan), np.full(shape, np.nan)
    for place, area in enumerate(AREA_RANGES):
        matched = [match(one, sizes_counted=area) for one in kept]
        there = sum(int(one.counted.sum()) for one in matched)
        if there:
            for row in range(len(LEAST_OVERLAPS)):
                curve = _curve(matched, row, order, there)
                precisions[place, row], recalls[place, row] = curve
    return CategoryCurves(precisions, recalls)


def _curve(
    matched: Sequence[Matched], row: int, order: NDArray[np.intp], there: int
) -> tuple[NDArray[np.float64], float]:
    hits = np.concatenate([one.hits[row] for one in matched])[order]
    counts = ~np.concatenate([one.passed_over[row] for one in matched])[order]
    true, false = np.cumsum(hits & counts), np.cumsum(~hits & counts)
    if not len(true):
        return np.zeros(len(RECALLS)), 0.0
    reached = true / there
    # No later precision is lost: the best that any larger recall has counts for the smaller ones.
    precision = np.maximum.accumulate((true / (true + false + np.spacing(1)))[::-1])[::-1]
    places = np.searchsorted(reached, RECALLS, side="left")
    at = np.append(precision, 0.0)[places]
    return at, float(reached[-1])


def summary(categories: Iterable[CategoryFound], *, most: int = MOST_BOXES) -> dict[str, float]:
    """Return LVIS's table: AP, AP50, AP75, by size (APs, APm, APl) and frequency (APr, APc, APf), and recalls
    AR@300, AR50, AR75, ARs@300, ARm@300, ARl@300; ``EMPTY`` where there is nothing of a sort.

    Each is a mean over categories, least overlaps and, for precision, recalls 0, 0.01, …, 1. most: boxes of
    a picture and category.
    RecordError: a frequency that is none.
    """
    listed = list(categories)
    for one in listed:
        if one.frequency not in ("", *FREQUENCIES):
            raise RecordError(f"frequency is {one.frequency!r}; expected one of r, c and f")
    curves = [category_curves(one.pictures, most=most) for one in listed]
    precisions = np.stack([one.precisions for one in curves]) if curves else np.empty((0, 4, 10, 101))
    recalls = np.stack([one.recalls for one in curves]) if curves else np.empty((0, 4, 10))
    half, three_quarters = (int(np.argmin(np.abs(LEAST_OVERLAPS - least))) for least in (0.5, 0.75))
    table = {
        "AP": mean(precisions[:, 0]),
        "AP50": mean(precisions[:, 0, half]),
        "AP75": mean(precisions[:, 0, three_quarters]),
    }
    sizes = {f"{area.name[0]}": place for place, area in enumerate(AREA_RANGES) if area != ANY}
    table |= {f"AP{letter}": mean(precisions[:, place]) for letter, place in sizes.items()}
    for letter, name in FREQUENCIES.items():
        table[name] = mean(precisions[[one.frequency == letter for one in listed], 0])
    table |= {
        f"AR@{most}": mean(recalls[:, 0]),
        "AR50": mean(recalls[:, 0, half]),
        "AR75": mean(recalls[:, 0, three_quarters]),
    }
    return table | {f"AR{letter}@{most}": mean(recalls[:, place]) for letter, place in sizes.items()}


def mean(values: NDArray[np.float64]) -> float:
    """Return the mean of all values that are numbers; ``EMPTY`` where there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else EMPTY


__all__ = ["AreaRange", "CategoryCurves", "CategoryFound", "category_curves", "mean", "summary"]

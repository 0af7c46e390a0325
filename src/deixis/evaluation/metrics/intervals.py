"""How far a number can be trusted. Questions about one picture hang together: pictures are resampled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.evaluation.task import Columns

RESAMPLES = 1000
NORMAL_95 = 1.959963984540054
EXPLAINED = (
    f"percentiles of {RESAMPLES} seeded bootstrap resamples over pictures; where all resamples agree, "
    "Wilson's interval over pictures"
)


Interval = tuple[float, float]


def interval_over_pictures(
    columns: Columns, pictures: Sequence[str], *, measure: Callable[[Columns], float], seed: int
) -> Interval:
    """Return the 95 % interval of ``measure`` if other pictures of the same kind had been drawn.

    columns: numbers of the items, each (n,); pictures: the picture of each item (n). Resamples in which the
    measure is undefined (NaN) are left out; both ends are NaN where it is so of the items themselves.

    >>> all_right = {"right": np.ones(4)}
    >>> interval = interval_over_pictures(all_right, "abcd", measure=lambda all: all["right"].mean(), seed=0)
    >>> tuple(round(edge, 2) for edge in interval)
    (0.51, 1.0)
    """
    named = intervals_over_pictures(
        columns, pictures, measure=lambda resampled: {"value": measure(resampled)}, seed=seed
    )
    return named["value"]


def intervals_over_pictures(
    columns: Columns,
    pictures: Sequence[str],
    *,
    measure: Callable[[Columns], Mapping[str, float]],
    seed: int,
) -> dict[str, Interval]:
    """Return the 95 % interval of every number of ``measure``; arguments as of ``interval_over_pictures``."""
    groups = rows_by_picture(pictures)
    resamples = [
        measure({name: column[rows] for name, column in columns.items()})
        for rows in resampled_rows(groups, seed=seed)
    ]
    return {
        name: interval_of([one[name] for one in resamples if name in one], float(value), len(groups))
        for name, value in measure(columns).items()
    }


def rows_by_picture(pictures: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the rows of each picture, in the order of their first ones."""
    rows_of: dict[str, list[int]] = {}
    for row, picture in enumerate(pictures):
        rows_of.setdefault(picture, []).append(row)
    return [np.array(rows) for rows in rows_of.values()]


def resampled_rows(
    groups: Sequence[NDArray[np.int64]], *, seed: int, count: int = RESAMPLES
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each resample: as many pictures as there are, drawn with repetition."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield np.concatenate([groups[index] for index in rng.integers(len(groups), size=len(groups))])


def interval_of(values: Sequence[float], measured: float, n: int) -> Interval:
    """Return the interval of a number from those of the resamples. n: how many pictures there are."""
    if math.isnan(measured):
        return measured, measured
    defined = [value for value in values if not math.isnan(value)] or [measured]
    low, high = (float(value) for value in np.percentile(defined, [2.5, 97.5]))
    # All right or all wrong (or one picture only): resampling sees no variation, which is no certainty.
    return (low, high) if low < high else wilson(measured, n)


def wilson(rate: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a rate seen in ``n`` independent trials.

    >>> tuple(round(edge, 3) for edge in wilson(0.0, 10))
    (0.0, 0.278)
    """
    z = NORMAL_95**2 / n
    middle = (rate + z / 2) / (1 + z)
    reach = math.sqrt(max(z * (rate * (1 - rate) + z / 4), 0.0)) / (1 + z)
    return max(0.0, min(middle - reach, rate)), min(1.0, max(middle + reach, rate))

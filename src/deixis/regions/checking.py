"""What regions are made of, checked: coordinates, points, runs, and fractions of a picture."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable

from deixis.errors import BadRegion
from deixis.regions.frames import Frame, shown

LARGEST_COORDINATE = 1e7
MOST_OUTSIDE = 0.5  # share of a side by which fractions of a picture may lie outside of it
LARGEST_COUNT = 1_000_000_000  # pixels of a run or side, so that no arithmetic on them is long


def checked(values: Iterable[float], what: str) -> tuple[float, ...]:
    """Return coordinates as floats; BadRegion for what is no number, NaN, infinity and absurd sizes."""
    numbers = tuple(number(value, what) for value in values)
    if not all(math.isfinite(v) and abs(v) <= LARGEST_COORDINATE for v in numbers):
        raise BadRegion(f"{what} has coordinates {numbers[:8]}; expected finite numbers of ordinary size")
    return numbers


def require_unit(numbers: tuple[float, ...], frame: Frame, what: str) -> None:
    """Raise BadRegion for fractions of a picture that can't be any.

    Regions may stick out, and are cut when they are tied to a picture; none does so by half of it.
    """
    if frame.kind != "unit" or frame.bound or all(abs(v - 0.5) <= 0.5 + MOST_OUTSIDE for v in numbers):
        return
    told = ", ".join(f"{v:g}" for v in numbers[:8])
    raise BadRegion(
        f"{what} ({told}) is in frame 'unit', which is 0..1; is it frame 'pixels'? "
        "Or is it frame 'thousandths'?"
    )


def number(value: float, what: str) -> float:
    """Return one coordinate as a float; BadRegion for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as fault:
        raise BadRegion(f"{what} has the coordinate {shown(value)}; expected a number") from fault


def whole(value: int, what: str) -> int:
    """Return a count of pixels as an int; BadRegion for what is none."""
    try:
        count = operator.index(value)
    except TypeError as fault:
        raise BadRegion(f"a mask's {what} is a whole number of pixels; got {shown(value)}") from fault
    if abs(count) > LARGEST_COUNT:
        raise BadRegion(f"a mask's {what} is at most {LARGEST_COUNT:,} pixels; got {shown(value)}")
    return count


def whole_runs(runs: Iterable[int]) -> tuple[int, ...]:
    """Return the runs of a mask as ints; BadRegion for what are none."""
    try:
        counts = tuple(runs)
        if set(map(type, counts)) == {int} and max(counts) <= LARGEST_COUNT and min(counts) >= -LARGEST_COUNT:
            return counts
        counts = tuple(int(run) for run in counts)
    except (TypeError, ValueError, OverflowError) as fault:
        raise BadRegion(f"a mask's runs are a list of whole numbers; got {shown(runs)}") from fault
    return tuple(whole(count, "run") for count in counts)


def pairs_of(points: Iterable[Iterable[float]], what: str) -> list[tuple[float, ...]]:
    """Return points as tuples; BadRegion for what isn't a list of points."""
    try:
        return [tuple(pair) for pair in points]
    except TypeError as fault:
        raise BadRegion(f"a {what} is a list of points (x, y); got {shown(points)}") from fault

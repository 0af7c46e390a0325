"""What a benchmark is: sides that do the same thing in different ways, and what is made of their times."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Side:
    """One way to do it.

    function: "module:function", called in a fresh process with the benchmark's input, to which ``repeats`` is
    added. It returns {"seconds": [one number per repeat]}, what it computed as "digest" (compared exactly) or
    "values" (any JSON; floats compared within the benchmark's tolerance), and perhaps "peak_bytes" and
    "peak_above_loaded_bytes" (see ``bench.memory``) and "items" (how many things one repeat handled).
    threads: its OMP_NUM_THREADS; None is all cores.
    given: what its input has besides the benchmark's; only sides of the same input are compared.
    parts: what is timed of one run, where that is several things; "seconds" and "items" are by part then.
    """

    name: str
    function: str
    threads: int | None = 1
    given: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[str, ...] = ()

    @property
    def timed(self) -> tuple[str, ...]:
        """The names under which its times stand.

        >>> Side("ours", "module:function", parts=("reading", "writing")).timed
        ('ours, reading', 'ours, writing')
        """
        return tuple(f"{self.name}, {part}" for part in self.parts) or (self.name,)


Measure = Literal["seconds", "peak_bytes", "peak_above_loaded_bytes"]


@dataclass(frozen=True)
class Goal:
    """A number that should be at most ``at_most``: a measure of one side, or its ratio to another side's."""

    what: str
    side: str
    at_most: float
    measure: Measure = "seconds"
    over: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """Sides on one input. tolerance: how far apart (relatively) floats among their "values" may be."""

    name: str
    what: str
    sides: tuple[Side, ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    tolerance: float = 0.0


@dataclass(frozen=True)
class Summary:
    """What one side's runs come to. Seconds are the median, with the quartiles as spread."""

    seconds: float
    low: float
    high: float
    repeats: int
    threads: int
    items_per_second: float | None = None
    peak_bytes: int | None = None
    peak_above_loaded_bytes: int | None = None


def summarise(runs: Sequence[Mapping[str, Any]], *, threads: int) -> Summary:
    """Return the summary of the runs of one side.

    >>> summarise([{"seconds": [1.0, 3.0]}, {"seconds": [2.0]}], threads=1).seconds
    2.0
    """
    seconds = [float(one) for run in runs for one in run["seconds"]]
    middle = statistics.median(seconds)
    low, _, high = (
        statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else (middle,) * 3
    )
    items = runs[0].get("items")
    return Summary(
        seconds=middle,
        low=low,
        high=high,
        repeats=len(seconds),
        threads=threads,
        items_per_second=None if items is None else items / middle,
        peak_bytes=largest(runs, "peak_bytes"),
        peak_above_loaded_bytes=largest(runs, "peak_above_loaded_bytes"),
    )


def of_part(run: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return a run as if only that part of it had been timed.

    >>> of_part({"seconds": {"reading": [1.0], "writing": [2.0]}, "digest": "a"}, "writing")
    {'seconds': [2.0], 'digest': 'a'}
    """
    return {key: value[part] if key in ("seconds", "items") else value for key, value in run.items()}


def largest(runs: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """Return the largest value of a measure over the runs, or None if it wasn't taken."""
    return max((int(run[name]) for run in runs if run.get(name) is not None), default=None)


def difference(first: Any, second: Any, *, tolerance: float) -> str | None:
    """Return where two results differ, or None. Floats may differ by ``tolerance`` times the larger one.

    >>> difference({"a": [1.0, 2.0]}, {"a": [1.0, 2.1]}, tolerance=0.01)
    'a: 1: 2.0 and 2.1'
    """
    if isinstance(first, dict) and isinstance(second, dict) and set(first) == set(second):
        parts = [(key, first[key], second[key]) for key in first]
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        parts = [
            (str(index), one, other) for index, (one, other) in enumerate(zip(first, second, strict=True))
        ]
    elif isinstance(first, float) and isinstance(second, int | float):
        close = abs(first - second) <= tolerance * max(abs(first), abs(second))
        return None if close else f"{first!r} and {second!r}"
    else:
        return None if first == second else f"{first!r} and {second!r}"
    found = ((key, difference(one, other, tolerance=tolerance)) for key, one, other in parts)
    return next((f"{key}: {text}" for key, text in found if text is not None), None)


def reached(goal: Goal, summaries: Mapping[str, Summary]) -> float | None:
    """Return the goal's number, or None if it wasn't measured."""
    own = getattr(summaries[goal.side], goal.measure)
    if own is None or goal.over is None:
        return None if own is None else float(own)
    other = getattr(summaries[goal.over], goal.measure)
    return None if not other else float(own / other)

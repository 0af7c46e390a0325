"""Outcomes as a table to read and as JSON to keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from bench.benchmark import Goal, Summary, reached
from bench.measuring import Measured, sides_of_one_input


def as_text(measured: Measured) -> str:
    """Return what is printed of a benchmark: sides, ratios to the first one of the same input, goals."""
    return "\n".join(lines(measured))


def lines(measured: Measured) -> Iterator[str]:
    """Yield the lines of ``as_text``."""
    benchmark = measured.benchmark
    yield f"{benchmark.name}: {benchmark.what}"
    if measured.fault is not None:
        yield f"  no times: {measured.fault}"
        return
    if measured.warning is not None:
        yield f"  warning: {measured.warning}"
    width = max(map(len, measured.summaries))
    firsts: dict[str, str] = {}
    for first, *others in sides_of_one_input(benchmark):
        alike = dict(zip(first.parts or ("",), first.timed, strict=True))
        for side in (first, *others):
            named = zip(side.parts or ("",), side.timed, strict=True)
            firsts |= {name: alike.get(part, name) for part, name in named}
    for name, summary in measured.summaries.items():
        yield f"  {name:<{width}}  {side_text(summary, base=measured.summaries[firsts[name]])}"
    for goal in benchmark.goals:
        yield f"  {goal_text(goal, measured.summaries)}"


def side_text(summary: Summary, *, base: Summary) -> str:
    """Return one side's numbers in a line."""
    parts = [f"{duration(summary.seconds)} ({duration(summary.low)} to {duration(summary.high)})"]
    if summary is not base and base.seconds:
        parts.append(f"{summary.seconds / base.seconds:.2f} x the first")
    if summary.items_per_second is not None:
        parts.append(f"{summary.items_per_second:.4g} a second")
    if summary.peak_bytes is not None:
        parts.append(f"peak {megabytes(summary.peak_bytes)}")
    if summary.peak_above_loaded_bytes is not None:
        parts.append(f"{megabytes(summary.peak_above_loaded_bytes)} above loaded weights")
    parts.append(f"{summary.repeats} repeats, OMP threads {summary.threads}")
    return ", ".join(parts)


def goal_text(goal: Goal, summaries: Mapping[str, Summary]) -> str:
    """Return whether a goal was reached."""
    number = reached(goal, summaries)
    if number is None:
        return f"goal: {goal.what}: not measured on this system"
    verdict = "reached" if number <= goal.at_most else "MISSED"
    return f"goal: {goal.what}: {quantity(goal, number)}, at most {quantity(goal, goal.at_most)}: {verdict}"


def quantity(goal: Goal, number: float) -> str:
    """Return a goal's number with its unit."""
    if goal.over is not None:
        return f"{number:.2f} x"
    return duration(number) if goal.measure == "seconds" else megabytes(number)


def duration(seconds: float) -> str:
    """Return a time in a readable unit.

    >>> duration(0.00123), duration(2.5)
    ('1.23 ms', '2.5 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def megabytes(count: float) -> str:
    """Return bytes as MB of a million.

    >>> megabytes(1_200_000_000)
    '1,200 MB'
    """
    return f"{count / 1e6:,.0f} MB"


def as_json(measured: Measured) -> dict[str, Any]:
    """Return everything known of a benchmark, for a file."""
    goals = [
        {**asdict(goal), "reached": reached(goal, measured.summaries)}
        for goal in measured.benchmark.goals
        if measured.fault is None
    ]
    return {
        "what": measured.benchmark.what,
        "fault": measured.fault,
        "warning": measured.warning,
        "sides": {name: asdict(summary) for name, summary in measured.summaries.items()},
        "goals": goals,
    }

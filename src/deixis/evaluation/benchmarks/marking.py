"""Replies to marks, the same for every benchmark, and the tables that most benchmarks have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
    Tabulate,
    unparsed,
)

T = TypeVar("T")
ALL = "all"


def mark(benchmark: Benchmark[T], item: BenchmarkItem[T], reply: Reply, scoring: Scoring) -> Mark:
    """Return the mark of a reply; one that is empty or refused is never right, by the corrected rules.

    UsageError: the benchmark has no such rules.
    """
    benchmark.check(scoring)
    if item.left_out:
        return Mark(None, fault="left out", why=item.left_out)
    if reply.refused:
        return Mark(0.0, fault="refused", why=reply.refused)
    if not reply.text.strip() and not reply.places:
        if scoring.rules == "published":
            # What the authors' programs make of nothing is a part of their rules.
            earned = benchmark.score(item, reply, scoring)
            return earned if earned.fault else replace(earned, fault="unparsed", why="the reply is empty")
        return unparsed("the reply is empty")
    return benchmark.score(item, reply, scoring)


def mark_all(
    benchmark: Benchmark[T],
    items: Sequence[BenchmarkItem[T]],
    replies: Mapping[str, Reply],
    scoring: Scoring,
) -> list[Mark]:
    """Return the marks of replies by the items' ids; RecordError where items and replies don't pair off."""
    missing = [item.id for item in items if item.id not in replies]
    if missing:
        raise RecordError(
            f"{len(missing)} of {len(items)} items of {benchmark.name} have no reply: "
            f"{', '.join(missing[:5])}; a score over the others would pass for one over all"
        )
    return [mark(benchmark, item, replies[item.id], scoring) for item in items]


def row(marks: Sequence[Mark], *, most: float = 100.0) -> Row:
    """Return the mean of marks on a scale; unjudged ones are left out of it and of the n.

    >>> row([Mark(1.0), unparsed("no letter")])
    Row(value=50.0, n=2, unparsed=1, refused=0, unjudged=0, most=100.0)
    """
    values = [one.value for one in marks if one.value is not None]
    return Row(
        value=most * sum(values) / len(values) if values else None,
        n=len(values),
        unparsed=count(marks, "unparsed"),
        refused=count(marks, "refused"),
        unjudged=count(marks, "unjudged"),
        most=most,
    )


def count(marks: Iterable[Mark], fault: str) -> int:
    """Return how many marks have a fault."""
    return sum(one.fault == fault for one in marks)


def accuracy(*headings: str) -> Tabulate[Any]:
    """Return a tabulate: the mean of all marks in percent, then of each kind under some headings."""

    def tabulate(items: Sequence[BenchmarkItem[Any]], marks: Sequence[Mark]) -> Table:
        rows = {ALL: row(marks)}
        for heading in headings:
            rows |= by_kind(items, marks, heading)
        return Table(rows)

    return tabulate


def by_kind(items: Sequence[BenchmarkItem[Any]], marks: Sequence[Mark], heading: str) -> dict[str, Row]:
    """Return a line for each kind under a heading, sorted; items without that heading are left out."""
    own: dict[str, list[Mark]] = {}
    for item, one in zip(items, marks, strict=True):
        if heading in item.kinds:
            own.setdefault(item.kinds[heading], []).append(one)
    return {f"{heading}: {kind}": row(own[kind]) for kind in sorted(own)}


def grouped(
    items: Sequence[BenchmarkItem[Any]],
    marks: Sequence[Mark],
    *,
    key: Callable[[BenchmarkItem[Any]], str] = lambda item: item.together,
) -> dict[str, list[Mark]]:
    """Return the marks of items that are scored together, in the order of their first items."""
    own: dict[str, list[Mark]] = {}
    for item, one in zip(items, marks, strict=True):
        own.setdefault(key(item), []).append(one)
    return own


def all_right(groups: Mapping[str, Sequence[Mark]]) -> Row:
    """Return the share of groups whose marks are all 1, in percent.

    A group with an unjudged mark and otherwise right ones is unjudged.
    """
    together = []
    for own in groups.values():
        values = [one.value for one in own]
        if any(value is not None and value < 1 for value in values):
            faults = [one.fault for one in own if one.fault in ("unparsed", "refused")]
            together.append(Mark(0.0, fault=faults[0] if faults else ""))
        elif None in values:
            together.append(Mark(None, fault="unjudged"))
        else:
            together.append(Mark(1.0))
    return row(together)

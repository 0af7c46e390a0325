"""Intervals of every number of a benchmark's table, by drawing its pictures anew.

Items about one picture, or scored together, hang together: such clusters are drawn, with repetition, as many
as there are. An item that is drawn again is an item of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Table
from deixis.evaluation.metrics.intervals import interval_of, resampled_rows

T = TypeVar("T")
MOST_MARKS = 2_000_000  # that all resamples together add up; larger benchmarks have fewer resamples
LEAST_RESAMPLES = 200


def resamples_of(benchmark: Benchmark[Any], n: int) -> int:
    """Return how many resamples a benchmark of ``n`` items gets.

    >>> from deixis.evaluation.benchmarks.yes_or_no.pope import POPE
    >>> resamples_of(POPE, 500), resamples_of(POPE, 9000)
    (1000, 222)
    """
    return max(LEAST_RESAMPLES, min(benchmark.resamples, MOST_MARKS // max(n, 1)))


def explained(benchmark: Benchmark[Any], n: int) -> str:
    """Return how the intervals come about, for a protocol card."""
    return (
        f"percentiles of {resamples_of(benchmark, n)} seeded bootstrap resamples over pictures (with all "
        "that is scored together with them); where all resamples agree, Wilson's interval over pictures"
    )


def clusters_of(items: Sequence[BenchmarkItem[Any]]) -> list[str]:
    """Return for each item what it hangs together with: equal for items that share a picture or a group.

    >>> one = BenchmarkItem("1", (), "Why?", "a", group="pair")
    >>> clusters_of([one, BenchmarkItem("2", (), "Why?", "b"), replace(one, id="3")])
    ['group pair', 'group 2', 'group pair']
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for item in items:
        for shown in item.pictures:
            parent[root(f"picture {shown.name}")] = root(f"group {item.together}")
    return [root(f"group {item.together}") for item in items]


def with_intervals(
    benchmark: Benchmark[T],
    items: Sequence[BenchmarkItem[T]],
    marks: Sequence[Mark],
    table: Table,
    *,
    seed: int,
) -> Table:
    """Return a table whose rows have their 95 % intervals, None for numbers that resamples don't have."""
    tabulate = benchmark.resampled or benchmark.tabulate
    values: dict[str, list[float]] = {}
    clusters = clusters_of(items)
    for own_items, own_marks in resampled(benchmark, items, marks, clusters, seed=seed):
        for name, row in tabulate(own_items, own_marks).rows.items():
            if row.value is not None:
                values.setdefault(name, []).append(row.value / row.most)
    rows = {}
    for name, row in table.rows.items():
        if row.value is None or name not in values:
            rows[name] = row
            continue
        low, high = interval_of(values[name], row.value / row.most, len(set(clusters)))
        rows[name] = replace(row, ci95=(row.most * low, row.most * high))
    return Table(rows)


def resampled(
    benchmark: Benchmark[T],
    items: Sequence[BenchmarkItem[T]],
    marks: Sequence[Mark],
    clusters: Sequence[str],
    *,
    seed: int,
) -> Iterator[tuple[list[BenchmarkItem[T]], list[Mark]]]:
    """Yield the items and marks of each resample."""
    copies: dict[tuple[int, int], BenchmarkItem[T]] = {}
    groups = groups_of(clusters)
    for rows in resampled_rows(groups, seed=seed, count=resamples_of(benchmark, len(items))):
        times = [0] * len(items)
        drawn = []
        for row in rows.tolist():
            key = (row, times[row])
            times[row] += 1
            if key not in copies:
                copies[key] = again(benchmark, items[row], key[1])
            drawn.append(copies[key])
        yield drawn, [marks[row] for row in rows.tolist()]


def groups_of(clusters: Sequence[str]) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the rows of each cluster, in the order of their first ones."""
    rows_of: dict[str, list[int]] = {}
    for row, cluster in enumerate(clusters):
        rows_of.setdefault(cluster, []).append(row)
    return [np.array(rows) for rows in rows_of.values()]


def again(benchmark: Benchmark[T], item: BenchmarkItem[T], times: int) -> BenchmarkItem[T]:
    """Return an item that was drawn so many times before, as one of its own."""
    if not times:
        return item
    truth = item.truth if benchmark.again is None else benchmark.again(item.truth, times)
    return replace(
        item, id=f"{item.id}\0{times}", group=f"{item.group}\0{times}" if item.group else "", truth=truth
    )

"""Paired differences: both systems on the same pictures, drawn anew together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.comparison.saved_report import SavedItem, SavedReport
from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.asking.asking import check_items
from deixis.evaluation.benchmarks.asking.intervals import again, clusters_of, groups_of, resamples_of
from deixis.evaluation.benchmarks.asking.report import digest_of
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark
from deixis.evaluation.metrics.intervals import resampled_rows, rows_by_picture
from deixis.evaluation.tasks import find_tasks

Numbers = Mapping[str, float | None]
SEED = 0
ROUNDING = 1e-6  # of a scale: what arithmetic in another order moves numbers by, which is no difference


@dataclass(frozen=True)
class Difference:
    """One number of both reports, and second minus first with its 95 % interval.

    name: of our own tasks "task" or "task: number". most: the end of the number's scale. n: items. low, high:
    NaN where the difference is undefined.
    """

    name: str
    first: float
    second: float
    low: float
    high: float
    n: int
    most: float = 1.0

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second - self.first

    @property
    def verdict(self) -> str:
        """What the interval says of the difference."""
        rounding = ROUNDING * self.most
        if math.isnan(self.low) or (self.low <= rounding and self.high >= -rounding):
            return "no difference shown"
        return "B is higher" if self.low > 0 else "A is higher"

    def to_dict(self) -> dict[str, Any]:
        """Return the difference for JSON, undefined numbers as None."""
        values = {"first": self.first, "second": self.second, "difference": self.difference}
        values |= {"low": self.low, "high": self.high}
        plain = {name: None if math.isnan(value) else value for name, value in values.items()}
        return {"name": self.name, **plain, "n": self.n, "most": self.most, "verdict": self.verdict}


def differences(first: SavedReport, second: SavedReport, *, data: Path | None = None) -> list[Difference]:
    """Return the difference of every number of two comparable reports.

    data: the benchmark's files, None for where the reports say that they lie. UsageError, RecordError: a
    benchmark's files are not there or aren't those that were asked.
    """
    if first.benchmark is None:
        return of_tasks(first, second)
    return of_benchmark(first, second, benchmark_items(first, data=data))


def of_tasks(first: SavedReport, second: SavedReport) -> list[Difference]:
    """Return the differences of our own tasks, task by task."""
    found = []
    for name in dict.fromkeys(item.task for item in first.items):
        (task,) = find_tasks([name])
        pairs = [(a, b) for a, b in zip(first.items, second.items, strict=True) if a.task == name]
        columns = [columns_of([pair[side] for pair in pairs]) for side in (0, 1)]

        def measured(side: int, rows: NDArray[np.int64]) -> Numbers:
            own = {name: column[rows] for name, column in columns[side].items()}  # noqa: B023
            return task.measure(own)  # noqa: B023

        groups = rows_by_picture([str(a.content.get("picture")) for a, _ in pairs])
        rows = resampled_rows(groups, seed=SEED)
        for number in paired_numbers(measured, rows, n=len(pairs)):
            first_one = number.name == next(iter(task.measure(columns[0])))
            found.append(
                Difference(**{**vars(number), "name": name if first_one else f"{name}: {number.name}"})
            )
    return found


def columns_of(items: Sequence[SavedItem]) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of items as columns."""
    names = list(items[0].numbers)
    if any(list(item.numbers) != names for item in items):
        raise RecordError("the items of a task have different numbers; was a report changed by hand?")
    return {name: np.array([item.numbers[name] for item in items]) for name in names}


def paired_numbers(
    measured: Callable[[int, NDArray[np.int64]], Numbers],
    resamples: Any,
    *,
    n: int,
    most: Mapping[str, float] | None = None,
) -> list[Difference]:
    """Return the differences of all numbers. measured: from a side and rows to numbers by name."""
    every = np.arange(n)
    whole = [measured(side, every) for side in (0, 1)]
    deltas: dict[str, list[float]] = {}
    for rows in resamples:
        one, other = measured(0, rows), measured(1, rows)
        for name in one:
            delta = number(other.get(name)) - number(one[name])
            if not math.isnan(delta):
                deltas.setdefault(name, []).append(delta)
    found = []
    for name, value in whole[0].items():
        first, second = number(value), number(whole[1].get(name))
        low = high = math.nan
        if name in deltas and not math.isnan(second - first):
            low, high = (float(edge) for edge in np.percentile(deltas[name], [2.5, 97.5]))
        found.append(Difference(name, first, second, low, high, n, (most or {}).get(name, 1.0)))
    return found


def number(value: float | None) -> float:
    """Return a number, NaN for an undefined one."""
    return math.nan if value is None else float(value)


def benchmark_items(report: SavedReport, *, data: Path | None) -> list[BenchmarkItem[Any]]:
    """Return the items that a report is of, read anew; UsageError if they aren't those that were asked."""
    benchmark = find_benchmark(report.benchmark or "")
    path = data or (Path(report.run["data_path"]) if report.run.get("data_path") else None)
    if path is None or not path.exists():
        raise UsageError(f"the files of {benchmark.title} are not at {path}; give them with --data")
    split = report.protocol.get("split")
    whole = split in (None, "all") or benchmark.read_split is None
    every = benchmark.read(path) if whole else benchmark.read_split(path, str(split))  # type: ignore[misc]
    by_id = {item.id: item for item in every}
    items = [by_id[item.key] for item in report.items if item.key in by_id]
    if len(items) < len(report.items) or digest_of(benchmark, items) != report.protocol.get("questions"):
        raise UsageError(f"{path} has other questions than {report.path} is of; give the right files: --data")
    check_items(benchmark, items)
    return items


def of_benchmark(
    first: SavedReport, second: SavedReport, items: Sequence[BenchmarkItem[Any]]
) -> list[Difference]:
    """Return the differences of a benchmark's numbers."""
    benchmark = find_benchmark(first.benchmark or "")
    marks = [[mark_of(item) for item in report.items] for report in (first, second)]
    tabulate = benchmark.resampled or benchmark.tabulate

    def measured(side: int, rows: NDArray[np.int64]) -> Numbers:
        own = rows.tolist()
        table = tabulate(copied(benchmark, items, own), [marks[side][row] for row in own])
        return {name: row.value for name, row in table.rows.items()}

    scales = {name: row.most for name, row in tabulate(items, marks[0]).rows.items()}
    groups = groups_of(clusters_of(items))
    rows = resampled_rows(groups, seed=SEED, count=resamples_of(benchmark, len(items)))
    return paired_numbers(measured, rows, n=len(items), most=scales)


def copied(
    benchmark: Benchmark[Any], items: Sequence[BenchmarkItem[Any]], rows: Sequence[int]
) -> list[BenchmarkItem[Any]]:
    """Return the items of some rows; one that stands there again is an item of its own."""
    times: dict[int, int] = {}
    found = []
    for row in rows:
        found.append(again(benchmark, items[row], times.get(row, 0)))
        times[row] = times.get(row, 0) + 1
    return found


def mark_of(item: SavedItem) -> Mark:
    """Return the mark of a saved item."""
    content = item.content
    return Mark(
        item.numbers.get("value"),
        read=str(content.get("read", "")),
        fault=content.get("fault", ""),
        why=str(content.get("why", "")),
        numbers=dict(content.get("numbers", {})),
    )

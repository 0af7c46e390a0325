"""Intervals of a benchmark's numbers: over pictures, with groups together, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.asking.intervals import again, clusters_of, with_intervals
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Shown
from deixis.evaluation.benchmarks.grounding.lvis_ground import Sought
from deixis.evaluation.metrics.intervals import interval_over_pictures


def item(number: int, picture: str, group: str = "") -> BenchmarkItem[Any]:
    return BenchmarkItem(str(number), (Shown(picture, b""),), "Why?", "a", group=group)


def test_they_are_those_of_the_tasks() -> None:
    """One number, one definition: the mean of marks over pictures, resampled as for our own tasks."""
    rng = np.random.default_rng(7)
    items = [item(n, f"{n // 3}.jpg") for n in range(90)]
    marks = [Mark(float(value)) for value in rng.integers(0, 2, 90)]
    benchmark: Benchmark[Any] = find_benchmark("gqa")
    row = with_intervals(benchmark, items, marks, benchmark.tabulate(items, marks), seed=5).first
    columns = {"value": np.array([mark.value for mark in marks], dtype=float)}
    expected = interval_over_pictures(
        columns, [one.pictures[0].name for one in items], measure=lambda own: own["value"].mean(), seed=5
    )
    assert row.ci95 == pytest.approx([100 * edge for edge in expected])
    assert row.value is not None and row.ci95 is not None and row.ci95[0] < row.value < row.ci95[1]


def test_what_hangs_together_is_drawn_together() -> None:
    items = [item(1, "a", "pair 1"), item(2, "b", "pair 1"), item(3, "b"), item(4, "c")]
    own = clusters_of(items)
    assert own[0] == own[1] == own[2] != own[3]


def test_an_item_that_is_drawn_twice_counts_twice() -> None:
    mmvp = find_benchmark("mmvp")
    pair = [item(1, "a", "pair"), item(2, "b", "pair")]
    twice = [again(mmvp, one, times) for times in (0, 1) for one in pair]
    marks = [Mark(1.0), Mark(1.0), Mark(0.0), Mark(1.0)]
    assert mmvp.tabulate(twice, marks).first.value == 50 and mmvp.tabulate(twice, marks).first.n == 2
    lvis = find_benchmark("lvis_ground")
    sought = Sought(7, 3, "dog", ((0.0, 0.0, 10.0, 10.0),), (100.0,), "f", True)
    one = replace(item(1, "a"), truth=sought)
    found, missed = Mark(1.0, read="[[0, 0, 10, 10]]"), Mark(0.0, read="[]")
    table = lvis.tabulate([one, again(lvis, one, 1)], [found, missed])
    assert table.first.value == 50 and table.rows["reference AP"].value not in (0, 100)

"""Running a benchmark: every side in fresh processes, in alternating order, and all results compared."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.benchmark import Benchmark, Side, Summary, difference, of_part, summarise
from bench.machine import busy_warning

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 1800  # seconds for one process
ROUNDS = 2  # fresh processes a side; the second round goes in reverse, so that a drift hits all sides alike
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Measured:
    """A benchmark's outcome: summaries by side, or the fault that forbids giving any."""

    benchmark: Benchmark
    summaries: Mapping[str, Summary] = field(default_factory=dict)
    fault: str | None = None
    warning: str | None = None


class SideFailed(Exception):
    """The process of a side ended without a result."""


def measure(benchmark: Benchmark, *, repeats: int) -> Measured:
    """Run a benchmark; no summaries are given unless all sides computed the same."""
    before = busy_warning()
    rounds = min(ROUNDS, repeats)
    given = {**benchmark.given, "repeats": math.ceil(repeats / rounds)}
    runs: dict[str, list[dict[str, Any]]] = {side.name: [] for side in benchmark.sides}
    try:
        for number in range(rounds):
            for side in benchmark.sides if number % 2 == 0 else reversed(benchmark.sides):
                runs[side.name].append(run_side(side, {**given, **side.given}))
    except SideFailed as failed:
        return Measured(benchmark, fault=str(failed))
    for alike in sides_of_one_input(benchmark):
        compared = {side.name: runs[side.name] for side in alike}
        if (fault := disagreement(compared, tolerance=benchmark.tolerance)) is not None:
            return Measured(benchmark, fault=fault)
    summaries = {
        name: summarise(found, threads=side.threads or os.cpu_count() or 1)
        for side in benchmark.sides
        for name, found in by_part(side, runs[side.name]).items()
    }
    return Measured(benchmark, summaries=summaries, warning=before or busy_warning())


def by_part(side: Side, runs: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return a side's runs by the names under which its times stand."""
    if not side.parts:
        return {side.name: list(runs)}
    parts = zip(side.timed, side.parts, strict=True)
    return {name: [of_part(run, part) for run in runs] for name, part in parts}


def run_side(side: Side, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a side's function returns in a process of its own."""
    threads = str(side.threads or os.cpu_count() or 1)
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, threads)}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "bench.worker", side.function, str(result)]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                input=json.dumps(given),
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as fault:
            raise SideFailed(f"side {side.name!r} took more than {LONGEST} s") from fault
        if done.returncode or not result.is_file():
            raise SideFailed(f"side {side.name!r} failed: {last_lines(done.stderr)}")
        returned: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    seconds = returned.get("seconds", ())
    times = list(seconds.values()) if side.parts else [seconds]
    if (side.parts and set(seconds) != set(side.parts)) or {len(one) for one in times} != {given["repeats"]}:
        parts = f" of {', '.join(side.parts)}" if side.parts else ""
        raise SideFailed(f"side {side.name!r} gave {seconds}; expected {given['repeats']} times{parts}")
    if not {"digest", "values"} & set(returned):
        raise SideFailed(f"side {side.name!r} gave neither 'digest' nor 'values': nothing could be compared")
    return returned


def disagreement(runs: Mapping[str, Sequence[Mapping[str, Any]]], *, tolerance: float) -> str | None:
    """Return which runs computed something else than the first, or None."""
    (first_name, first_runs), *_ = runs.items()
    first = computed(first_runs[0])
    for name, found in runs.items():
        for run in found:
            if (text := difference(first, computed(run), tolerance=tolerance)) is not None:
                return f"sides {first_name!r} and {name!r} computed different things: {text}"
    return None


def sides_of_one_input(benchmark: Benchmark) -> list[list[Side]]:
    """Return the sides in groups of the same input, in order."""
    groups: list[list[Side]] = []
    for side in benchmark.sides:
        group = next((group for group in groups if group[0].given == side.given), None)
        if group is None:
            groups.append([side])
        else:
            group.append(side)
    return groups


def computed(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a run that must be equal on all sides."""
    return {name: run[name] for name in ("digest", "values") if name in run}


def last_lines(text: str, *, count: int = 3) -> str:
    """Return the end of an error output, where the reason is."""
    return " | ".join(text.strip().splitlines()[-count:]) or "it wrote no error"

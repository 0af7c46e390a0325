"""``python -m bench [NAME…] [--repeats N] [--json FILE] [--against DIR]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import earlier
from bench.benchmark import Benchmark
from bench.machine import description
from bench.measuring import measure
from bench.report import as_json, as_text
from bench.table import BENCHMARKS


def main(arguments: Sequence[str] | None = None, *, benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> int:
    """Run benchmarks, print them one by one, and return 1 if one of them could give no times."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure speed and memory side by side."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of: {', '.join(benchmarks)} (default: all)"
    )
    parser.add_argument("--repeats", type=int, default=6, help="how often each side is timed (default: 6)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to this file too")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="a checkout of an earlier commit, for the benchmark earlier",
    )
    chosen = parser.parse_args(arguments)
    if chosen.against is not None:
        benchmarks = {**benchmarks, "earlier": earlier.benchmark(chosen.against)}
    unknown = [name for name in chosen.names if not named(name, benchmarks)]
    if unknown or chosen.repeats < 1:
        parser.error(
            f"no benchmark is called {unknown[0]!r}; there are: {', '.join(benchmarks)}"
            if unknown
            else f"--repeats is {chosen.repeats}; expected at least 1"
        )
    machine = description()
    print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
    outcomes = {}
    for name in [one for given in chosen.names for one in named(given, benchmarks)] or benchmarks:
        measured = measure(benchmarks[name], repeats=chosen.repeats)
        outcomes[name] = as_json(measured)
        print(f"\n{as_text(measured)}", flush=True)
    if chosen.json is not None:
        chosen.json.write_text(
            json.dumps({"machine": machine, "benchmarks": outcomes}, indent=1), encoding="utf-8"
        )
    return int(any(outcome["fault"] is not None for outcome in outcomes.values()))


def named(name: str, benchmarks: Mapping[str, Benchmark]) -> list[str]:
    """Return the benchmark of a name, or else those whose names go on behind it.

    >>> named("second", BENCHMARKS)
    ['second_question']
    """
    return [name] if name in benchmarks else [one for one in benchmarks if one.startswith(f"{name}_")]


if __name__ == "__main__":
    sys.exit(main())

"""`deixis evaluate --benchmark`: a published benchmark asked of a system, with its answers kept in a file."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.benchmarks.endpoint_flags import asked_model, is_address, log_of
from deixis.cli.benchmarks.judges import judges_of
from deixis.cli.benchmarks.report_files import report_files, save_report
from deixis.cli.counting import counted
from deixis.cli.dataset_flags import refuse_read_files
from deixis.cli.messages import is_quiet
from deixis.cli.picture_flags import BROKEN
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.evaluation.benchmarks.asking.asking import Elsewhere
    from deixis.evaluation.benchmarks.asking.report import BenchmarkReport, Drawn
    from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Scoring

RULES = ("corrected", "published")  # as in ``deixis.evaluation.metrics.rules``
# Flags that say how a dataset's scenes are read or asked, with what they are where nobody gave them.
OF_TASKS = {
    "tasks": None,
    "layout": None,
    "outside": None,
    "broken": BROKEN[0],
    "baseline_split": None,
    "ablation": "none",
}


class ListBenchmarks(argparse.Action):
    """Prints the table of benchmarks and ends, as --help does."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Print and end."""
        print("\n".join(listed()))
        parser.exit()


def listed() -> list[str]:
    """Return the table of benchmarks, one a line."""
    from deixis.evaluation.benchmark_table import BENCHMARKS

    lines = []
    for one in BENCHMARKS.values():
        judge = {"no": "", "optional": " (a judge helps)", "needed": " (needs a judge)"}[one.judge]
        lines += [f"{one.name}: {one.title}{judge}", f"    {one.layout}"]
    return lines


def add_benchmark_flags(parser: argparse.ArgumentParser) -> None:
    """Add --benchmark, --list-benchmarks and what goes with them."""
    group = parser.add_argument_group("published benchmarks (docs/benchmarks.md)")
    group.add_argument(
        "--benchmark", metavar="NAME", help="ask this one; --data is its folder, or its file of questions"
    )
    group.add_argument(
        "--list-benchmarks", action=ListBenchmarks, help="print their names and files, and end"
    )
    group.add_argument(
        "--rules",
        choices=RULES,
        default=RULES[0],
        help="how answers are scored: corrected, or as the authors' program does, faults included, where "
        "such rules are known (default: %(default)s)",
    )
    group.add_argument("--judge", metavar="URL", help="an OpenAI-compatible endpoint that judges, up to /v1")
    group.add_argument("--judge-model", metavar="NAME", help="its model (default: the published one)")
    group.add_argument(
        "--judge-runs",
        type=int,
        default=1,
        metavar="N",
        help="ask the judge so many times and average, where the paper does (default: 1)",
    )
    group.add_argument("--judge-key", metavar="VARIABLE", help="environment variable that holds its key")


def run_benchmark(arguments: argparse.Namespace) -> int:
    """Ask, print table and protocol, write what was asked for."""
    from deixis.evaluation.benchmark_table import find_benchmark
    from deixis.evaluation.benchmarks.asking.report import Drawn
    from deixis.evaluation.benchmarks.benchmark import Scoring

    benchmark = find_benchmark(arguments.benchmark)
    refuse_flags_of_tasks(arguments)
    judge, *further = judges_of(arguments, benchmark) or (None,)
    scoring = Scoring(arguments.rules, judge, arguments.judge_model, tuple(further))
    benchmark.check(scoring)
    refuse_inputs(arguments)
    every = items_of(benchmark, arguments.dataset, arguments.split)
    items = drawn(every, limit=arguments.limit, seed=arguments.seed)
    asked = Drawn(
        arguments.dataset, arguments.split, arguments.limit, arguments.seed, arguments.max_new_tokens
    )
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        kept = arguments.answers or Path(folder) / "answers.jsonl"
        made = measured(benchmark, items, scoring, asked, kept=kept, arguments=arguments)
    print(made.to_markdown())
    print(f"\n{counted(len(items), 'question')} in {time.perf_counter() - started:.0f} s", flush=True)
    save_report(made, arguments)
    return 0


def measured(
    benchmark: Benchmark[Any],
    items: list[BenchmarkItem[Any]],
    scoring: Scoring,
    asked: Drawn,
    *,
    kept: Path,
    arguments: argparse.Namespace,
) -> BenchmarkReport:
    """Return the report; of a model that writes places in words, with both readings of the same replies."""
    from deixis.cli.progress_bars import ProgressBars
    from deixis.evaluation.benchmarks.asking.asking import ask, fingerprint_of
    from deixis.evaluation.benchmarks.asking.report import report
    from deixis.evaluation.facts import run_facts
    from deixis.progress import SILENT

    # Of an endpoint what came is kept as it came, beside what was read of it.
    log = log_of(kept.with_name(f"{kept.name}.replies")) if is_address(arguments.model) else None
    model = asked_model(arguments, log)
    elsewhere = on_ray(arguments, benchmark, asked)
    progress = SILENT if is_quiet(arguments) else ProgressBars()

    def by(system: Any, file: Path) -> BenchmarkReport:
        started = time.perf_counter()
        replies = ask(
            benchmark,
            items,
            system,
            kept=file,
            max_new_tokens=asked.max_new_tokens,
            max_pixels=arguments.max_pixels,
            progress=progress,
            elsewhere=elsewhere,
        )
        spent = getattr(system, "spent", None)
        tokens = None if spent is None else spent.tokens()
        seconds = time.perf_counter() - started
        return report(
            benchmark,
            items,
            replies,
            scoring,
            system=system.name,
            weights=fingerprint_of(system),
            drawn=asked,
            asking=system.card() if log is not None else None,
            run=run_facts(system, seconds=seconds, tokens=tokens, log=log, data=asked.data),
        )

    made = by(model, kept)
    with_places = benchmark.places or any(item.places for item in items)
    if not with_places or getattr(model, "region_format", None) != "words":
        return made
    with tempfile.TemporaryDirectory() as folder:
        lenient = by(model.read_by("lenient"), Path(folder) / "answers.jsonl")
    return replace(made, further={"lenient": lenient.table})


def on_ray(arguments: argparse.Namespace, benchmark: Benchmark[Any], asked: Drawn) -> Elsewhere | None:
    """Return what has questions answered by workers of Ray; None where nobody asked for them."""
    if arguments.ray is None:
        return None
    from deixis.evaluation.benchmarks.asking.on_ray import BenchmarkJob, replied_on_ray

    job = BenchmarkJob(
        arguments.model,
        arguments.device,
        arguments.dtype,
        benchmark.name,
        asked.max_new_tokens or benchmark.max_new_tokens,
        arguments.max_pixels,
    )
    return partial(replied_on_ray, job=job, workers=arguments.ray)


def items_of(benchmark: Benchmark[Any], data: Path, split: str | None) -> list[BenchmarkItem[Any]]:
    """Return the items of a folder or file, or of one of its splits."""
    if split is None:
        return benchmark.read(data)
    if benchmark.read_split is None:
        raise UsageError(f"--split is for benchmarks whose folders have several; {benchmark.name} has none")
    return benchmark.read_split(data, split)


def refuse_flags_of_tasks(arguments: argparse.Namespace) -> None:
    """Raise UsageError for a flag that a benchmark has no use for."""
    given = [name for name, unset in OF_TASKS.items() if getattr(arguments, name) != unset]
    if given:
        flag = given[0].replace("_", "-")
        raise UsageError(f"--{flag} is for tasks on a dataset and doesn't go with --benchmark; leave it out")


def refuse_inputs(arguments: argparse.Namespace) -> None:
    """Raise UsageError for files to write that belong to the benchmark, or that are one file."""
    given = report_files(arguments)
    for flag, path in given.items():
        if path.resolve() == arguments.dataset.resolve():
            raise UsageError(f"{flag} {path} is the benchmark's own file; give another name")
        if arguments.dataset.is_dir():
            refuse_read_files(path, arguments.dataset, "the benchmark", flag=flag)
    if arguments.answers is not None and arguments.answers.resolve().is_relative_to(
        arguments.dataset.resolve()
    ):
        raise UsageError(
            f"--answers {arguments.answers} lies among the benchmark's files; give one elsewhere"
        )
    if len({path.resolve() for path in given.values()}) < len(given):
        raise UsageError(f"{', '.join(given)} name one file; give each its own")


def drawn(items: Sequence[BenchmarkItem[Any]], *, limit: int | None, seed: int) -> list[BenchmarkItem[Any]]:
    """Return all items, or those of so many drawn questions with all that is scored together with them."""
    from deixis.evaluation.runner import chosen

    groups = list(dict.fromkeys(item.together for item in items))
    kept = set(chosen(groups, limit=limit, seed=seed))
    return [item for item in items if item.together in kept]

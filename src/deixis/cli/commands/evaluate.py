"""`deixis evaluate`: how well a system does on a split of a dataset, with the protocol beside the numbers."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.benchmarks.endpoint_flags import (
    MOST_WORKERS,
    add_endpoint_flags,
    asked_model,
    check_endpoint_flags,
    is_address,
    log_of,
)
from deixis.cli.benchmarks.report_files import add_report_flags, report_files, save_report
from deixis.cli.benchmarks.running import add_benchmark_flags, run_benchmark
from deixis.cli.counting import counted
from deixis.cli.dataset_flags import add_dataset_flags, open_dataset, refuse_read_files
from deixis.cli.messages import LOG, is_quiet
from deixis.cli.system_flags import add_system_flags
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.data.scene import Scene
    from deixis.data.sources import Dataset
    from deixis.evaluation.keeping.answer_log import AnswerLog
    from deixis.evaluation.report import Report
    from deixis.evaluation.task import Task

HELP = "measure a system on a dataset, or on a published benchmark"
EXAMPLE = (
    "deixis evaluate --data data/flickr_grounding --split val --tasks grounding,naming --json report.json"
)
MOST_NEW_TOKENS = 1 << 16
DEFAULT_TASKS = "grounding,expressions,naming"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis evaluate`."""
    add_dataset_flags(parser, split_needed=False)
    parser.add_argument(
        "--tasks",
        metavar="A,B",
        help=f"separated by commas, or all (default: those of {DEFAULT_TASKS} that find something to ask; "
        "further ones: naming_point, naming_scribble, expressions_bare, presence, verification, choosing, "
        "attributes, colour, activity, relations, unanswerable, calibration, nowhere, free; see "
        "docs/evaluation.md)",
    )
    add_system_flags(parser, endpoints=True)
    add_endpoint_flags(parser)
    parser.add_argument(
        "--limit", type=int, metavar="N", help="only N items of each task, drawn with the seed"
    )
    parser.add_argument(
        "--max-new-tokens", type=int, metavar="N", help="how long an answer may be (default: 64 for tasks)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="for drawn regions, --limit and intervals (default: 0)"
    )
    parser.add_argument(
        "--ablation",
        default="none",
        metavar="A",
        help="take the evidence away: grey (pictures), shuffled_regions (between pictures) or moved_regions "
        "(to the opposite corner)",
    )
    parser.add_argument("--control", dest="ablation", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument(
        "--baseline-split",
        metavar="S",
        help="another split of the dataset, for instance train, to learn further baselines on",
    )
    add_report_flags(parser)
    parser.add_argument(
        "--ray", type=int, metavar="N", help="let N workers of Ray answer, on this machine or its cluster"
    )
    add_benchmark_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and the protocol card, write what was asked for."""
    from deixis.evaluation.ablations import find_ablation
    from deixis.evaluation.keeping.answer_log import AnswerLog
    from deixis.evaluation.tasks import find_tasks

    # Whatever can be wrong with the call shows before minutes of answering.
    if arguments.benchmark is not None:
        check_numbers(arguments)
        check_outputs(arguments)
        return run_benchmark(arguments)
    if arguments.split is None:
        raise UsageError("--split is missing: which split of the dataset, for instance --split val")
    tasks = find_tasks((arguments.tasks or DEFAULT_TASKS).split(","))
    find_ablation(arguments.ablation)
    check_numbers(arguments)
    check_outputs(arguments)
    dataset = open_dataset(arguments)
    refuse_inputs(arguments, dataset)
    tasks = asked_here(tasks, dataset, arguments)
    split = arguments.baseline_split
    learnt_on = open_dataset(arguments, split=split).scenes if split else []
    started = time.perf_counter()
    log = log_of(arguments.answers)
    if arguments.ray is not None and log is None:
        log = AnswerLog()
    report = measured(asked_model(arguments, log), log, tasks, dataset, arguments, learnt_on=learnt_on)
    print(report.to_markdown())
    if failures := report.failures_to_markdown():
        print(f"\n{failures}")
    print(f"\n{counted(len(report.asked), 'question')} in {time.perf_counter() - started:.0f} s", flush=True)
    for sentence in report.protocol.set_aside():
        LOG.warning("%s", sentence)
    save_report(report, arguments)
    return 0


def measured(
    system: Any,
    log: AnswerLog | None,
    tasks: list[Task[Any]],
    dataset: Dataset,
    arguments: argparse.Namespace,
    *,
    learnt_on: list[Scene],
) -> Report:
    """Return the report; of a model that writes places in words, with both readings of the same replies."""
    from deixis.data.set_aside import boxes_outside
    from deixis.evaluation.ablations import find_ablation
    from deixis.evaluation.evaluating import evaluate
    from deixis.evaluation.facts import data_files
    from deixis.evaluation.runner import MAX_NEW_TOKENS

    def by(asked: Any, *, ahead: Any = None) -> Report:
        return evaluate(
            asked,
            dataset.scenes,
            tasks,
            data=arguments.dataset.resolve().name,
            split=arguments.split,
            seed=arguments.seed,
            limit=arguments.limit,
            ablation=find_ablation(arguments.ablation),
            baseline_scenes=learnt_on,
            baseline_split=arguments.baseline_split,
            outside=boxes_outside(dataset.boxes),
            broken=arguments.broken,
            max_new_tokens=arguments.max_new_tokens or MAX_NEW_TOKENS,
            files=data_files(arguments.dataset),
            data_path=arguments.dataset,
            log=getattr(system, "log", log),
            ahead=ahead,
            progress=not is_quiet(arguments),
        )

    report = by(system, ahead=ahead_on_ray(system, arguments))
    if getattr(system, "region_format", None) != "words":
        return report
    return replace(report, further={"lenient": by(system.read_by("lenient")).tasks})


def ahead_on_ray(system: Any, arguments: argparse.Namespace) -> Any:
    """Return what has everything answered by workers of Ray first; None where nobody asked for them."""
    if arguments.ray is None:
        return None
    from deixis.evaluation.on_ray import Job, answered_on_ray
    from deixis.evaluation.runner import MAX_NEW_TOKENS

    job = Job(
        arguments.model,
        arguments.device,
        arguments.dtype,
        arguments.ablation,
        arguments.max_new_tokens or MAX_NEW_TOKENS,
    )
    return partial(answered_on_ray, job=job, kept=system, workers=arguments.ray)


def check_numbers(arguments: argparse.Namespace) -> None:
    """Raise UsageError for numbers and names that can't be meant."""
    if arguments.seed < 0:
        raise UsageError(f"--seed is {arguments.seed}; expected a whole number from 0")
    if arguments.max_new_tokens is not None and not 1 <= arguments.max_new_tokens <= MOST_NEW_TOKENS:
        raise UsageError(
            f"--max-new-tokens is {arguments.max_new_tokens}; expected a whole number from 1 to "
            f"{MOST_NEW_TOKENS}"
        )
    check_endpoint_flags(arguments)
    if arguments.ray is not None and (not 1 <= arguments.ray <= MOST_WORKERS or is_address(arguments.model)):
        raise UsageError(
            f"--ray {arguments.ray} is for a system of this package, with 1 to {MOST_WORKERS} workers; it "
            "isn't available for endpoints, which take --workers"
        )
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError(f"--limit is {arguments.limit}; expected a whole number from 1")
    if arguments.split is not None and arguments.baseline_split == arguments.split:
        raise UsageError(
            f"--baseline-split is {arguments.split!r}, the split that is measured; baselines learnt on it "
            "would know the truth: give another, such as train"
        )


def check_outputs(arguments: argparse.Namespace) -> None:
    """Raise UsageError for files that can't be written."""
    from deixis.files.writing import require_writable

    for flag, path in report_files(arguments).items():
        if flag != "--answers":
            require_writable(path, flag=flag)
    named = [path.resolve() for path in report_files(arguments).values()]
    if len(set(named)) < len(named):
        raise UsageError(f"{', '.join(report_files(arguments))} name one file; give each its own")


def refuse_inputs(arguments: argparse.Namespace, dataset: Dataset) -> None:
    """Raise UsageError for files to write that belong to the dataset or to the model."""
    for flag, path in report_files(arguments).items():
        pictures = {scene.picture.path for scene in dataset.scenes}
        refuse_read_files(path, arguments.dataset, "the dataset", flag=flag, further=pictures)
        if arguments.model is not None and not is_address(arguments.model):
            refuse_read_files(path, Path(arguments.model), "the model", flag=flag)


def asked_here(tasks: list[Task[Any]], dataset: Dataset, arguments: argparse.Namespace) -> list[Task[Any]]:
    """Return the tasks that are asked; of those that nobody chose one by one, what finds something to ask."""
    from deixis.evaluation.evaluating import with_items
    from deixis.evaluation.tasks import ALL

    if arguments.tasks is not None and ALL not in [name.strip() for name in arguments.tasks.split(",")]:
        return tasks
    asked = with_items(tasks, dataset.scenes, arguments.seed)
    for task in tasks:
        if task not in asked:
            LOG.warning(
                "%s finds nothing to ask in this split and is left out; it needs %s", task.name, task.needs
            )
    return asked

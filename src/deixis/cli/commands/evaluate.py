"""`deixis evaluate`: how well a system does on a split of a pack, with the protocol beside the numbers."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from deixis.cli.counting import counted
from deixis.cli.folders import require_folder
from deixis.cli.system_flags import add_system_flags, open_system

HELP = "measure a system on a pack of pictures"
EXAMPLE = (
    "deixis evaluate --pack packs/flickr_grounding --split val --tasks grounding,naming --json report.json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis evaluate`."""
    parser.add_argument("--pack", type=Path, required=True, metavar="DIR", help="folder of the pack")
    parser.add_argument("--split", required=True, metavar="S", help="which split of it, for instance val")
    parser.add_argument(
        "--tasks",
        default="grounding,expressions,naming",
        metavar="A,B",
        help="separated by commas, or all (default: %(default)s; further ones: naming_point, "
        "naming_scribble, expressions_bare, presence, verification, choosing, attributes, calibration, "
        "nowhere, free; docs/evaluation.md)",
    )
    add_system_flags(parser)
    parser.add_argument(
        "--limit", type=int, metavar="N", help="only N items of each task, drawn with the seed"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="for drawn regions, --limit and intervals (default: 0)"
    )
    parser.add_argument(
        "--control",
        default="none",
        metavar="C",
        help="take the evidence away: grey (pictures) or shuffled_regions (between pictures)",
    )
    parser.add_argument(
        "--baseline-split",
        metavar="S",
        help="another split of the pack, for instance train, to learn further baselines on",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here")
    parser.add_argument(
        "--items", type=Path, metavar="FILE", help="write every item with its answer here, one a line"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and the protocol card, write what was asked for."""
    from deixis.data.sources.pack import read_pack
    from deixis.errors import UsageError
    from deixis.evaluation.ablations import find_control
    from deixis.evaluation.evaluating import evaluate, with_items
    from deixis.evaluation.tasks import ALL, find_tasks

    # Whatever can be wrong with the call shows before minutes of answering.
    names = [name.strip() for name in arguments.tasks.split(",")]
    tasks = find_tasks(names)
    control = find_control(arguments.control)
    if arguments.seed < 0:
        raise UsageError(f"--seed is {arguments.seed}; expected a whole number from 0")
    if arguments.baseline_split == arguments.split:
        raise UsageError(
            f"--baseline-split is {arguments.split!r}, the split that is measured; baselines learnt on it "
            "would know the truth: give another, such as train"
        )
    for path in (arguments.json, arguments.items):
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no folder {str(path.parent)!r}; make it first")
    require_folder(arguments.pack, flag="--pack")
    scenes = read_pack(arguments.pack, arguments.split)
    if ALL in names:
        asked = with_items(tasks, scenes, arguments.seed)
        for task in tasks:
            if task not in asked:
                print(f"{task.name} finds nothing to ask in this split and is left out", file=sys.stderr)
        tasks = asked
    learnt_on = read_pack(arguments.pack, arguments.baseline_split) if arguments.baseline_split else []
    started = time.perf_counter()
    system = open_system(arguments)
    report = evaluate(
        system,
        scenes,
        tasks,
        data=arguments.pack.resolve().name,
        split=arguments.split,
        weights=system.fingerprint(),
        seed=arguments.seed,
        limit=arguments.limit,
        control=control,
        baseline_scenes=learnt_on,
        baseline_split=arguments.baseline_split,
        progress=True,
    )
    print(report.to_markdown())
    if failures := report.failures_to_markdown():
        print(f"\n{failures}")
    print(f"\n{counted(len(report.asked), 'question')} in {time.perf_counter() - started:.0f} s")
    if arguments.json is not None:
        arguments.json.write_text(report.to_json(), encoding="utf-8")
    if arguments.items is not None:
        report.save_items(arguments.items)
    return 0

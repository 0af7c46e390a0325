"""`deixis evaluate`: how well a system does on a split of a pack, with the protocol beside the numbers."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

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
        help="separated by commas (default: %(default)s; there are naming_point and naming_scribble, too)",
    )
    parser.add_argument(
        "--model", metavar="NAME|DIR", help="a system's name or a saved folder (default: the embedded one)"
    )
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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here")
    parser.add_argument(
        "--items", type=Path, metavar="FILE", help="write every item with its answer here, one a line"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and the protocol card, write what was asked for."""
    import deixis
    from deixis.data.sources.pack import read_pack
    from deixis.errors import UsageError
    from deixis.evaluation.controls import find_control
    from deixis.evaluation.evaluating import evaluate
    from deixis.evaluation.tasks import find_tasks

    # Whatever can be wrong with the call shows before minutes of answering.
    tasks = find_tasks(arguments.tasks.split(","))
    control = find_control(arguments.control)
    if arguments.seed < 0:
        raise UsageError(f"--seed is {arguments.seed}; expected a whole number from 0")
    for path in (arguments.json, arguments.items):
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no folder {str(path.parent)!r}; make it first")
    scenes = read_pack(arguments.pack, arguments.split)
    started = time.perf_counter()
    system = deixis.load(arguments.model)
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
        progress=True,
    )
    print(report.to_markdown())
    print(f"\n{len(report.asked):,} questions in {time.perf_counter() - started:.0f} s")
    if arguments.json is not None:
        arguments.json.write_text(report.to_json(), encoding="utf-8")
    if arguments.items is not None:
        report.save_items(arguments.items)
    return 0

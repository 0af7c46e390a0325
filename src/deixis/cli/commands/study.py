"""``deixis study``: variants of one recipe side by side, as a table and a plot."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.dataset_flags import add_dataset_flags, open_dataset
from deixis.cli.folders import require_folder
from deixis.cli.messages import is_quiet
from deixis.cli.saving import save_or_print
from deixis.cli.system_flags import add_device_flags

if TYPE_CHECKING:
    from deixis.evaluation.protocol import ProtocolCard

HELP = "train and measure variants of a recipe side by side"
EXAMPLE = """\
example:
  deixis study resolution --recipe ferret_v2/resolution --data DIR \\
    --eval-data DIR/flickr_grounding --out runs/resolution

resolution: three ways to spend pixels (fixed, direct_upsample, any_res) x encoders frozen or trained.
OUT gets a folder for every variant, study.md, study.json and study.png. Runs that were finished there
are kept; others go on from their last checkpoint.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("study", choices=("resolution",), help="which study")
    parser.add_argument(
        "--recipe",
        required=True,
        metavar="RECIPE",
        help="the recipe that is varied: a file, or a packaged one",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where its sources lie")
    add_dataset_flags(parser, flag="--eval-data", what="the dataset to measure on", split="val", layout=False)
    parser.add_argument(
        "--tasks", default="naming,grounding", metavar="A,B", help="what is measured (default: %(default)s)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only N items of each task")
    parser.add_argument("--steps", type=int, metavar="N", help="train each variant for N steps")
    add_device_flags(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where runs and results go")


def run(arguments: argparse.Namespace) -> int:
    """Train every variant, measure it, write the table and the plot."""
    import numpy as np

    import deixis
    from deixis.cli.progress_bars import ProgressBars
    from deixis.data.set_aside import boxes_outside
    from deixis.errors import UsageError
    from deixis.evaluation.evaluating import evaluate
    from deixis.evaluation.report import TaskResult
    from deixis.evaluation.tasks import find_tasks
    from deixis.files.writing import require_writable_folder
    from deixis.progress import SILENT
    from deixis.runs.training import run_recipes
    from deixis.runs.unseen import unseen_losses
    from deixis.studies.resolution import resolution_variants
    from deixis.studies.study import require_plots, run_study, shortened
    from deixis.training.metrics import read_metrics, seconds_in
    from deixis.training.recipes.packaged import find_recipes
    from deixis.training.recipes.recipe import Recipe, read_recipe

    if arguments.steps is not None and arguments.steps < 1:
        raise UsageError(f"--steps is {arguments.steps}; expected at least 1")
    tasks = find_tasks(arguments.tasks.split(","))
    found = find_recipes(arguments.recipe)
    if len(found) > 1:
        raise UsageError(f"--recipe {arguments.recipe!r} means {len(found)} recipes; give one")
    variants = resolution_variants(shortened(read_recipe(found[0]), arguments.steps))
    require_folder(arguments.data, flag="--data")
    require_plots()
    require_writable_folder(arguments.out, flag="--out")
    dataset = open_dataset(arguments)
    outside = boxes_outside(dataset.boxes)
    folder = arguments.dataset.resolve()
    data = f"{folder.name} {arguments.split}"
    protocols: list[ProtocolCard] = []

    def train(recipe: Recipe) -> tuple[Path, float, float]:
        (model,) = run_recipes(
            [recipe],
            data=arguments.data,
            out=arguments.out,
            resume=True,
            device=arguments.device,
            progress=SILENT if is_quiet(arguments) else ProgressBars(),
        )
        log = read_metrics(arguments.out / recipe.name / "metrics.jsonl")
        return model, float(log[-1]["losses"]["total"]), seconds_in(log, batch=recipe.batch)

    def lose(recipe: Recipe, model: Path) -> np.ndarray:
        return unseen_losses(
            recipe,
            model,
            pack=folder,
            split=arguments.split,
            outside=arguments.outside,
            broken=arguments.broken,
        )

    def measure(model: Path) -> dict[str, TaskResult]:
        report = evaluate(
            deixis.load(model, device=arguments.device, dtype=arguments.dtype),
            dataset.scenes,
            tasks,
            data=data,
            split=arguments.split,
            limit=arguments.limit,
            outside=outside,
            broken=arguments.broken,
            progress=not is_quiet(arguments),
        )
        protocols.append(report.protocol)
        return dict(report.tasks)

    study = run_study(arguments.study, variants, train=train, lose=lose, measure=measure, data=data)
    study = replace(study, set_aside=protocols[-1].set_aside())
    print(study.to_markdown(), flush=True)
    save_or_print(
        {arguments.out / "study.json": study.to_json(), arguments.out / "study.md": study.to_markdown()}
    )
    study.plot(arguments.out / "study.png")
    return 0

"""``deixis study resolution``: variants of one recipe side by side, as a table and a plot."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.dataset_flags import add_dataset_flags, open_dataset
from deixis.cli.folders import require_folder
from deixis.cli.messages import is_quiet
from deixis.cli.saving import save_or_print
from deixis.cli.system_flags import add_device_flags

if TYPE_CHECKING:
    import numpy as np

    from deixis.data.sources import Dataset
    from deixis.evaluation.protocol import ProtocolCard
    from deixis.evaluation.report import TaskResult
    from deixis.evaluation.task import Task
    from deixis.training.recipes.recipe import Recipe

HELP = "train a recipe at several resolutions, with frozen and trained encoders, and measure each"
EXAMPLE = """\
  deixis study resolution --recipe ferret_v2/resolution --data DIR \\
    --eval-data DIR/flickr_grounding --out runs/resolution"""
ABOUT = """
Three ways to spend pixels (fixed, direct_upsample, any_res) x encoders frozen or trained.
OUT gets a folder for every variant, study.md, study.json and study.png. Runs that were finished there
are kept; others go on from their last checkpoint.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--recipe",
        required=True,
        metavar="RECIPE",
        help="the recipe that is varied: a file, or a packaged one",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where its sources lie")
    add_dataset_flags(
        parser,
        flag="--eval-data",
        what="the dataset to measure on",
        split="val",
        layout=False,
        recipes=True,
    )
    parser.add_argument(
        "--tasks", default="naming,grounding", metavar="A,B", help="what is measured (default: %(default)s)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only N items of each task")
    parser.add_argument("--steps", type=int, metavar="N", help="train each variant for N steps")
    add_device_flags(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where runs and results go")


def run(arguments: argparse.Namespace) -> int:
    """Train every variant, measure it, write the table and the plot."""
    from deixis.errors import UsageError
    from deixis.evaluation.tasks import find_tasks
    from deixis.files.writing import require_writable_folder
    from deixis.studies.resolution import resolution_variants
    from deixis.studies.study import require_plots, run_study, shortened

    # Whatever can be wrong with the call shows before hours of training.
    if arguments.steps is not None and arguments.steps < 1:
        raise UsageError(f"--steps is {arguments.steps}; expected at least 1")
    tasks = find_tasks(arguments.tasks.split(","))
    variants = resolution_variants(shortened(recipe_of(arguments), arguments.steps))
    require_folder(arguments.data, flag="--data")
    require_plots()
    require_writable_folder(arguments.out, flag="--out")
    runs = StudyRuns(arguments, open_dataset(arguments), tasks)
    study = run_study(
        arguments.study, variants, train=runs.train, lose=runs.lose, measure=runs.measure, data=runs.data
    )
    study = replace(study, set_aside=runs.protocols[-1].set_aside())
    print(study.to_markdown(), flush=True)
    save_or_print(
        {arguments.out / "study.json": study.to_json(), arguments.out / "study.md": study.to_markdown()}
    )
    study.plot(arguments.out / "study.png")
    return 0


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """Return the recipe that is varied; UsageError where the name means several."""
    from deixis.errors import UsageError
    from deixis.training.recipes.packaged import find_recipes
    from deixis.training.recipes.recipe import read_recipe

    found = find_recipes(arguments.recipe)
    if len(found) > 1:
        raise UsageError(f"--recipe {arguments.recipe!r} means {len(found)} recipes; give one")
    recipe = read_recipe(found[0])
    return recipe if arguments.max_pixels is None else recipe.with_max_pixels(arguments.max_pixels)


@dataclass(frozen=True)
class StudyRuns:
    """How one variant is trained and measured. protocols: of the measurements so far."""

    arguments: argparse.Namespace
    dataset: Dataset
    tasks: list[Task[Any]]
    protocols: list[ProtocolCard] = field(default_factory=list)

    @property
    def data(self) -> str:
        """What is measured on, for the results."""
        return f"{self.arguments.dataset.resolve().name} {self.arguments.split}"

    def train(self, recipe: Recipe) -> tuple[Path, float, float]:
        """Return the model's folder, its last loss, and how many seconds its training took."""
        from deixis.cli.progress_bars import ProgressBars
        from deixis.progress import SILENT
        from deixis.runs.training import run_recipes
        from deixis.training.metrics import read_metrics, seconds_in

        given = self.arguments
        (model,) = run_recipes(
            [recipe],
            data=given.data,
            out=given.out,
            resume=True,
            device=given.device,
            progress=SILENT if is_quiet(given) else ProgressBars(),
        )
        log = read_metrics(given.out / recipe.name / "metrics.jsonl")
        return model, float(log[-1]["losses"]["total"]), seconds_in(log, batch=recipe.batch)

    def lose(self, recipe: Recipe, model: Path) -> np.ndarray:
        """Return the losses of a model on pictures that it never saw."""
        from deixis.runs.unseen import unseen_losses

        given = self.arguments
        return unseen_losses(
            recipe,
            model,
            pack=given.dataset.resolve(),
            split=given.split,
            outside=given.outside,
            broken=given.broken,
            max_pixels=given.max_pixels,
        )

    def measure(self, model: Path) -> dict[str, TaskResult]:
        """Return the results of a model by the tasks' names."""
        import deixis
        from deixis.data.set_aside import boxes_outside
        from deixis.evaluation.evaluating import evaluate

        given = self.arguments
        report = evaluate(
            deixis.load(model, device=given.device, dtype=given.dtype),
            self.dataset.scenes,
            self.tasks,
            data=self.data,
            split=given.split,
            limit=given.limit,
            outside=boxes_outside(self.dataset.boxes),
            broken=given.broken,
            progress=not is_quiet(given),
        )
        self.protocols.append(report.protocol)
        return dict(report.tasks)

"""``deixis train``: recipes in, a model folder out."""

from __future__ import annotations

import argparse
from pathlib import Path

from deixis.cli.messages import is_quiet
from deixis.cli.picture_flags import add_max_pixels_flag
from deixis.cli.system_flags import add_device_flag
from deixis.errors import UsageError
from deixis.files.writing import require_writable_folder

ROOM = 1 << 20  # bytes that have to fit before anything is computed
HELP = "train by one or more recipes"
EXAMPLE = """\
examples:
  deixis train pointer/stage-1 --data data --out runs
  deixis train my_recipe.yaml --data data --out runs
  deixis train 'pointer/*' --data data --out runs --resume
  torchrun --nproc-per-node 2 -m deixis train pointer/stage-1 --data data --out runs

A word that is no file is a packaged recipe: pointer/stage-1, ferret/small, 'ferret_v2/*', ... Each recipe is
saved in OUT/NAME: checkpoints, metrics.jsonl, metrics.png and, when it is done, the model.
What a recipe continues is said by its starts_from, never by the order of files. A run that was killed goes
on with --resume, to the same weights as if it had not been.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "recipes", nargs="+", metavar="RECIPE", help="yaml files, or recipes of the package by name"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="the folder that the recipes' sources lie in"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where runs are saved")
    add_max_pixels_flag(parser, recipes=True)
    add_device_flag(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoints in OUT")
    parser.add_argument("--max-steps", type=int, metavar="N", help="stop each recipe after N steps")


def run(arguments: argparse.Namespace) -> int:
    """Read the recipes, then train."""
    from deixis.training.recipes.packaged import find_recipes
    from deixis.training.recipes.recipe import read_recipe

    if arguments.max_steps is not None and arguments.max_steps < 1:
        raise UsageError(f"--max-steps is {arguments.max_steps}; expected at least 1")
    if not arguments.data.is_dir():
        raise UsageError(f"there is no data folder {str(arguments.data)!r}")
    require_writable_folder(arguments.out, flag="--out", room=ROOM)
    recipes = [read_recipe(path) for name in arguments.recipes for path in find_recipes(name)]
    if arguments.max_pixels is not None:
        recipes = [recipe.with_max_pixels(arguments.max_pixels) for recipe in recipes]
    from deixis.cli.progress_bars import ProgressBars
    from deixis.progress import SILENT
    from deixis.runs.training import run_recipes

    models = run_recipes(
        recipes,
        data=arguments.data,
        out=arguments.out,
        resume=arguments.resume,
        max_steps=arguments.max_steps,
        device=arguments.device,
        progress=SILENT if is_quiet(arguments) else ProgressBars(),
    )
    for model in models:
        print(model)
    return 0

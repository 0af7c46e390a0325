"""From recipes to trained models: what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from deixis.errors import RecipeError
from deixis.training.loop import train
from deixis.training.parallel import join_world
from deixis.training.recipe import Recipe, in_order


def run_recipes(
    recipes: Sequence[Recipe], *, data: Path, out: Path, resume: bool = False, max_steps: int | None = None
) -> list[Path]:
    """Run recipes, each after the one that it starts from, and return the folders of the finished models.

    Every recipe gets ``out / name``; with ``resume`` it goes on from its last checkpoint there.
    """
    from deixis.systems import training_parts

    world = join_world()
    models = []
    for recipe in in_order(recipes):
        folder = out / recipe.name
        if recipe.threads is not None:
            torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        start = None if recipe.starts_from is None else starting_point(recipe, out)
        folder.mkdir(parents=True, exist_ok=True)
        parts = training_parts(recipe, data=data, start=start, work=folder)
        models.append(train(parts, recipe, out=folder, world=world, resume=resume, max_steps=max_steps))
    world.close()
    return models


def starting_point(recipe: Recipe, out: Path) -> Path:
    """Return the folder of the model that a recipe starts from: another recipe's, or a saved one."""
    name = str(recipe.starts_from)
    for folder in (out / name / "model", Path(name)):
        if (folder / "config.json").is_file():
            return folder
    raise RecipeError(
        f"recipe {recipe.name!r} starts from {name!r}, but there is no {out / name / 'model'} and no "
        f"folder {name!r}; "
        f"give the recipe {name!r} too, or the folder of a saved model"
    )

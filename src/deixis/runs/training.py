"""From recipes to trained models: what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from deixis.errors import RecipeError
from deixis.progress import SILENT, Progress
from deixis.runs.model_card import terms_of, write_card
from deixis.training.loop import train
from deixis.training.parallel import World, join_world
from deixis.training.recipes.recipe import Recipe, in_order, needed_by
from deixis.training.state.checkpoints import checkpoints
from deixis.training.state.random_states import seed_all
from deixis.training.state.run_lock import run_lock
from deixis.training.state.writing import writing


def run_recipes(
    recipes: Sequence[Recipe],
    *,
    data: Path,
    out: Path,
    resume: bool = False,
    max_steps: int | None = None,
    device: str = "auto",
    progress: Progress = SILENT,
) -> list[Path]:
    """Run recipes, each after the one that it starts from, and return the folders of the finished models.

    Every recipe gets ``out / name``; with ``resume`` it goes on from its last checkpoint there. device: see
    ``join_world``. UsageError: another run is writing into ``out``, or nothing can be written there.
    """
    ordered = in_order(recipes)
    for recipe in ordered:
        check_before_work(recipe, ordered, out=out, resume=resume)
    world = join_world(device)
    try:
        with ExitStack() as held:
            if world.leads:
                with writing(out):
                    out.mkdir(parents=True, exist_ok=True)
                held.enter_context(run_lock(out))
            return [
                run_recipe(
                    recipe,
                    data=data,
                    out=out,
                    world=world,
                    resume=resume,
                    max_steps=max_steps,
                    progress=progress if world.leads else SILENT,
                )
                for recipe in ordered
            ]
    finally:
        world.close()


def check_before_work(recipe: Recipe, recipes: Sequence[Recipe], *, out: Path, resume: bool) -> None:
    """Raise what would stop a recipe anyway, before anything is read or computed.

    RecipeError: its run is there already, or a model that it needs isn't. MissingWeights or MissingPackage:
    something that its system needs for training is not installed.
    """
    from deixis.systems import check_training
    from deixis.systems.starting_model import is_one_of, model_folder

    if not resume and checkpoints(out / recipe.name):
        raise RecipeError(
            f"{out / recipe.name} holds an earlier run; go on with --resume, or choose another --out"
        )
    for name in needed_by(recipe):
        if not is_one_of(name, recipes):
            model_folder(name, recipe=recipe, out=out)
    check_training(recipe)


def run_recipe(
    recipe: Recipe,
    *,
    data: Path,
    out: Path,
    world: World,
    resume: bool,
    max_steps: int | None,
    progress: Progress,
) -> Path:
    """Run one recipe and return the folder of its model; see ``run_recipes``."""
    from deixis.systems import training_parts
    from deixis.systems.starting_model import model_folder

    folder = out / recipe.name
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    seed_all(recipe.seed)
    name = recipe.starts_from
    start = None if name is None else model_folder(name, recipe=recipe, out=out)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    terms = terms_of(recipe, data=data, start=start)  # a damaged card is told before hours of work
    parts = training_parts(recipe, data=data, start=start, work=folder, progress=progress)
    if world.rank:
        # All processes make the same new weights; what is dropped while training is each one's own.
        seed_all(recipe.seed + world.rank)
    model = train(
        parts, recipe, out=folder, world=world, resume=resume, max_steps=max_steps, progress=progress
    )
    if world.leads:
        write_card(model, recipe, terms)
    return model

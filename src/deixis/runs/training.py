"""From recipes to trained models: what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from deixis.progress import SILENT, Progress
from deixis.training.loop import train
from deixis.training.parallel import join_world
from deixis.training.recipes.recipe import Recipe, in_order
from deixis.training.recipes.starting_model import model_folder
from deixis.training.state.random_states import seed_all


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
    ``join_world``.
    """
    from deixis.systems import training_parts

    world = join_world(device)
    models = []
    for recipe in in_order(recipes):
        folder = out / recipe.name
        if recipe.threads is not None:
            torch.set_num_threads(recipe.threads)
        seed_all(recipe.seed)
        name = recipe.starts_from
        start = None if name is None else model_folder(name, recipe=recipe, out=out)
        folder.mkdir(parents=True, exist_ok=True)
        parts = training_parts(recipe, data=data, start=start, work=folder, progress=progress)
        if world.rank:
            # All processes make the same new weights; what is dropped while training is each one's own.
            seed_all(recipe.seed + world.rank)
        models.append(
            train(
                parts,
                recipe,
                out=folder,
                world=world,
                resume=resume,
                max_steps=max_steps,
                progress=progress,
            )
        )
    world.close()
    return models

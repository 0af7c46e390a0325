"""Where the models lie that a recipe starts from or mixes in: another recipe's, a packaged or a saved one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.errors import RecipeError
from deixis.systems import SYSTEMS, weights_folder
from deixis.training.recipes.former_names import current_name, names_of
from deixis.training.recipes.recipe import Recipe, is_run_name


def model_folder(name: str, *, recipe: Recipe, out: Path) -> Path:
    """Return the folder of the model that the recipe ``name`` saved below ``out``, or of a saved one.

    A system's name stands for its packaged model, as for ``deixis.load``. MissingWeights: it has none.
    """
    if is_run_name(name):
        for own in names_of(name):
            if has_model(out / own / "model"):
                return out / own / "model"
    if name in SYSTEMS:
        return weights_folder(name)
    if has_model(Path(name)):
        return Path(name)
    raise RecipeError(
        f"recipe {recipe.name!r} needs {name!r:.200}, but no recipe of that name has saved a model "
        f"below {out}, and there is no such folder of a saved model; give that recipe too, the folder of a "
        "saved model, or the name of a system with packaged weights"
    )


def is_one_of(name: str, recipes: Sequence[Recipe]) -> bool:
    """Tell whether a recipe of that name is among those that will be run."""
    return current_name(name) in {current_name(recipe.name) for recipe in recipes}


def has_model(folder: Path) -> bool:
    """Tell whether a folder holds a saved model."""
    try:
        return (folder / "config.json").is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False

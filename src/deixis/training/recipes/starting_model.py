"""Where the models lie that a recipe starts from or mixes in: another recipe's, or saved ones."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import RecipeError
from deixis.training.recipes.recipe import Recipe


def model_folder(name: str, *, recipe: Recipe, out: Path) -> Path:
    """Return the folder of the model that the recipe ``name`` saved below ``out``, or of a saved one."""
    for folder in (out / name / "model", Path(name)):
        if (folder / "config.json").is_file():
            return folder
    raise RecipeError(
        f"recipe {recipe.name!r} needs {name!r}, but there is no {out / name / 'model'} and no folder "
        f"{name!r}; give the recipe {name!r} too, or the folder of a saved model"
    )

"""The recipes that come with the package, found by name: ``pointer/stage-1``, or ``pointer/*`` for all."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from deixis.errors import RecipeError
from deixis.training.recipes.former_names import current_name

FOLDER = Path(__file__).parents[2] / "recipes"
OLD_FOLDER = "recipes/"  # where they lay in a checkout; names that begin so go on working


def packaged_recipes() -> dict[str, Path]:
    """Return the files of all packaged recipes by name, sorted.

    >>> "pointer/stage-1" in packaged_recipes()
    True
    """
    files = sorted(FOLDER.glob("*/*.yaml"))
    return {file.relative_to(FOLDER).with_suffix("").as_posix(): file for file in files}


def find_recipes(name: str | Path) -> list[Path]:
    """Return the recipe files that a word on the command line means: a file, or packaged ones by name.

    A file that is there comes first. RecipeError for neither; it lists the packaged names.

    >>> [path.name for path in find_recipes("ferret/*")]
    ['instruct.yaml', 'small.yaml']
    """
    if Path(name).exists():
        return [Path(name)]
    pattern = Path(name).as_posix().removeprefix(OLD_FOLDER).removesuffix(".yaml")
    pattern = current_name(pattern.replace("/", "-", 1)).replace("-", "/", 1) if "/" in pattern else pattern
    known = packaged_recipes()
    found = [path for own, path in known.items() if fnmatchcase(own, pattern)]
    if not found:
        raise RecipeError(
            f"recipe {str(name)!r} cannot be read: there is no such file, and no packaged recipe has that "
            f"name; packaged ones: {', '.join(known)}"
        )
    return found

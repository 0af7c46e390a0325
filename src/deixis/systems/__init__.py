"""The systems: one explicit table, and the functions that look a system up in it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import MissingWeights, UsageError

if TYPE_CHECKING:
    from deixis.systems.contract import System
    from deixis.training.loop import TrainingParts
    from deixis.training.recipe import Recipe


@dataclass(frozen=True)
class Entry:
    """Where a system's parts are. Modules are imported when they are needed, never before.

    answering: "module:function" from a saved folder to a System. training: "module:function" from a recipe to
    TrainingParts. model_type: what its ``config.json`` says. weights: folder of weights inside the package.
    how_to_get: what to do where there are none.
    """

    model_type: str
    answering: str
    training: str
    weights: str | None
    how_to_get: str


SYSTEMS = {
    "pointer": Entry(
        model_type="deixis_pointer",
        answering="deixis.systems.pointer.answering:open_pointer",
        training="deixis.systems.pointer.training:training_parts",
        weights="pointer/embedded",
        how_to_get="train it with `deixis train recipes/pointer/*.yaml --data DIR --out DIR`",
    ),
    "ferret": Entry(
        model_type="deixis_ferret",
        answering="deixis.systems.ferret.answering:open_ferret",
        training="deixis.systems.ferret.training:training_parts",
        weights=None,
        how_to_get="convert the published ones with `deixis convert ferret` (docs/ferret.md), or train a "
        "small one with `deixis train recipes/ferret/small.yaml --data DIR --out DIR`; then give the folder",
    ),
    "ferret_v2": Entry(
        model_type="deixis_ferret_v2",
        answering="deixis.systems.ferret_v2.answering:open_ferret_v2",
        training="deixis.systems.ferret_v2.training:training_parts",
        weights=None,
        how_to_get="convert Ferret-UI's with `deixis convert ferret-ui` (docs/ferret_v2.md; Ferret-v2's were "
        "never published), or train a small one with `deixis train recipes/ferret_v2/small.yaml --data DIR "
        "--out DIR`; then give the folder",
    ),
}
DEFAULT = "pointer"


def entry(name: str) -> Entry:
    """Return the table's entry of a system; UsageError lists the known names."""
    if name not in SYSTEMS:
        raise UsageError(
            f"no system is called {name!r}; known systems: {', '.join(SYSTEMS)}; or give a folder"
        )
    return SYSTEMS[name]


def load(name_or_folder: str | Path | None = None) -> System:
    """Return a system that answers: the embedded default, one by name, or one saved in a folder.

    Raises MissingWeights for a known name whose weights are not here, UsageError for an unknown one.
    """
    folder = weights_folder(DEFAULT if name_or_folder is None else name_or_folder)
    kind = model_type(folder)
    for known in SYSTEMS.values():
        if known.model_type == kind:
            return resolve(known.answering)(folder)
    types = ", ".join(known.model_type for known in SYSTEMS.values())
    raise UsageError(f"{folder / 'config.json'} is of type {kind!r}; this version opens: {types}")


def weights_folder(name_or_folder: str | Path) -> Path:
    """Return the folder with ``config.json`` that a name or folder stands for."""
    folder = Path(name_or_folder)
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir() and str(name_or_folder) not in SYSTEMS:
        raise MissingWeights(f"{folder} has no config.json; expected the folder of a saved system")
    known = entry(str(name_or_folder))
    packaged = Path(__file__).parent / (known.weights or "")
    if known.weights is None or not (packaged / "config.json").is_file():
        raise MissingWeights(
            f"the weights of {str(name_or_folder)!r} are not on this machine; {known.how_to_get}"
        )
    return packaged


def model_type(folder: Path) -> str:
    """Return what kind of system a saved folder holds."""
    from deixis.data.sources.json_files import read_json

    return read_json(folder / "config.json", largest=1 << 20).text("model_type")


def training_parts(recipe: Recipe, *, data: Path, start: Path | None, work: Path) -> TrainingParts:
    """Return what the training loop needs, made by the recipe's system."""
    return resolve(entry(recipe.system).training)(recipe, data=data, start=start, work=work)


def resolve(path: str) -> Any:
    """Return the function that "module:function" of the table stands for."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)

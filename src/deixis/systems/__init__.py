"""The systems: opening one by name or from a folder, and making one to train."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import BadWeights, MissingWeights
from deixis.files.declared_fields import shown_value
from deixis.progress import SILENT, Progress
from deixis.systems import registry
from deixis.systems.registry import DEFAULT, SYSTEMS, Entry, entry, entry_of_type, resolve

if TYPE_CHECKING:
    from deixis.systems.contract import System
    from deixis.training.loop import TrainingParts
    from deixis.training.recipes.recipe import Recipe

LOG = logging.getLogger("deixis")

__all__ = ["SYSTEMS", "DEFAULT", "Entry", "entry", "load", "resolve", "training_parts", "weights_folder"]


def load(name_or_folder: str | Path | None = None, *, device: str = "auto", dtype: str = "auto") -> System:
    """Return a system that answers: the embedded default, one by name, or one saved in a folder.

    device: "auto" (a GPU if there is one), "cpu", "cuda" (or "cuda:1"), "mps". dtype: "auto" (float32 on a
    CPU, bfloat16 elsewhere), "float32", "bfloat16", "float16", or "stored": what the folder holds.
    Raises MissingWeights for a known name whose weights are not here, UsageError for an unknown one, or a
    device that isn't there.
    """
    folder = weights_folder(DEFAULT if name_or_folder is None else name_or_folder)
    kind = model_type(folder)
    known = entry_of_type(kind, where=folder / "config.json")
    from deixis.devices import choose_device, choose_dtype

    chosen = choose_device(device)
    system: System = resolve(known.opens(kind))(folder, dtype=choose_dtype(dtype, chosen)).to(chosen)
    LOG.info("%s from %s on %s in %s", system.name, folder, system.device, system.dtype)
    return system


def weights_folder(name_or_folder: str | Path) -> Path:
    """Return the folder with ``config.json`` that a name or folder stands for.

    A system's name stands for its packaged weights, whatever lies in the current folder; a folder of that
    name is written as a path: ``./pointer``.
    """
    folder = Path(name_or_folder)
    is_name = isinstance(name_or_folder, str) and name_or_folder in registry.SYSTEMS
    if is_name and (packaged := packaged_weights(str(name_or_folder))) is not None:
        return packaged
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir() and not is_name:
        raise MissingWeights(f"{folder} has no config.json; expected the folder of a saved system")
    known = entry(str(name_or_folder))
    raise MissingWeights(
        f"the weights of {str(name_or_folder)!r} are not on this machine; {known.how_to_get}"
    )


def packaged_weights(name: str) -> Path | None:
    """Return the folder of a system's weights inside the package; None where there are none."""
    weights = entry(name).weights
    folder = Path(__file__).parent / (weights or "")
    return folder if weights is not None and (folder / "config.json").is_file() else None


def model_type(folder: Path) -> str:
    """Return what kind of system a saved folder holds."""
    from deixis.checkpoints.files.settings import read_settings

    where = folder / "config.json"
    stated = read_settings(where, largest=1 << 20).get("model_type")
    if not isinstance(stated, str):
        raise BadWeights(f"{where}: field 'model_type' is {shown_value(stated)}; expected a text")
    return stated


def check_training(recipe: Recipe) -> None:
    """Raise what keeps a recipe from being trained on this machine, before anything is read.

    UsageError: there is no such system. MissingPackage, MissingWeights: something isn't installed.
    """
    from deixis.layers.towers.pretrained import packaged_file

    known = entry(recipe.system)
    resolve(known.training, extra="training")
    for name in () if known.training_needs is None else resolve(known.training_needs)(recipe):
        packaged_file(name)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress = SILENT
) -> TrainingParts:
    """Return what the training loop needs, made by the recipe's system.

    start: the folder of the model that training goes on from, None for a new one. work: the run's folder.
    progress: is told what reading the data and making the network do, and, later, what fitting does.
    """
    made = resolve(entry(recipe.system).training, extra="training")
    return made(recipe, data=data, start=start, work=work, progress=progress)

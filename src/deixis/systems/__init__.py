"""The systems: opening one by name or from a folder, and making one to train."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import MissingWeights
from deixis.systems import registry
from deixis.systems.registry import DEFAULT, SYSTEMS, Entry, entry, entry_of_type, resolve

if TYPE_CHECKING:
    from deixis.systems.contract import System
    from deixis.training.loop import TrainingParts
    from deixis.training.recipe import Recipe

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
    known = entry_of_type(model_type(folder), where=folder / "config.json")
    from deixis.devices import choose_device, choose_dtype

    chosen = choose_device(device)
    system: System = resolve(known.answering)(folder, dtype=choose_dtype(dtype, chosen)).to(chosen)
    LOG.info("%s from %s on %s in %s", system.name, folder, system.device, system.dtype)
    return system


def weights_folder(name_or_folder: str | Path) -> Path:
    """Return the folder with ``config.json`` that a name or folder stands for."""
    folder = Path(name_or_folder)
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir() and str(name_or_folder) not in registry.SYSTEMS:
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

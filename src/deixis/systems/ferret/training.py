"""How a recipe of Ferret becomes something to train."""

from __future__ import annotations

from pathlib import Path

from deixis.progress import Progress
from deixis.systems.ferret.answering import ferret_system, open_ferret
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.spliced.training.building import Member, family_parts
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe

FERRET = Member(FerretConfig, FerretNetwork, ferret_system, open_ferret)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train Ferret by ``recipe`` on the datasets below ``data``."""
    return family_parts(FERRET, recipe, data=data, start=start, progress=progress)

"""How a recipe of Ferret-v2 becomes something to train."""

from __future__ import annotations

from pathlib import Path

from deixis.progress import Progress
from deixis.systems.ferret_v2.answering import ferret_v2_system, open_ferret_v2
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.spliced.training.building import Member, family_parts
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe

FERRET_V2 = Member(FerretV2Config, FerretV2Network, ferret_v2_system, open_ferret_v2)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train Ferret-v2 by ``recipe`` on the datasets below ``data``."""
    return family_parts(FERRET_V2, recipe, data=data, start=start, progress=progress)

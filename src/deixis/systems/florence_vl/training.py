"""How a recipe of Florence-VL becomes something to train."""

from __future__ import annotations

from pathlib import Path

from deixis.progress import Progress
from deixis.systems.florence_vl.answering import florence_vl_system, open_florence_vl
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.spliced.training.building import Member, family_parts
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe

FLORENCE_VL = Member(FlorenceVlConfig, FlorenceVlNetwork, florence_vl_system, open_florence_vl)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train Florence-VL by ``recipe`` on the datasets below ``data``."""
    return family_parts(FLORENCE_VL, recipe, data=data, start=start, progress=progress)

"""How a recipe of the dummy becomes something to train."""

from __future__ import annotations

from pathlib import Path

from deixis.progress import Progress
from deixis.systems.spliced.training.building import Member, family_parts
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe
from tests.systems.dummy.answering import dummy_system, open_dummy
from tests.systems.dummy.network import DummyConfig, DummyNetwork

DUMMY = Member(DummyConfig, DummyNetwork, dummy_system, open_dummy)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train the dummy by ``recipe`` on the datasets below ``data``."""
    return family_parts(DUMMY, recipe, data=data, start=start, progress=progress)

"""How a recipe of ViP-LLaVA becomes something to train."""

from __future__ import annotations

from pathlib import Path

from deixis.progress import Progress
from deixis.systems.spliced.training.building import Member, family_parts
from deixis.systems.vip_llava.answering import open_vip_llava, vip_llava_system
from deixis.systems.vip_llava.config import VipLlavaConfig
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.systems.vip_llava.weights import tokenizer_known
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe

VIP_LLAVA = Member(VipLlavaConfig, VipLlavaNetwork, vip_llava_system, open_vip_llava, reading=tokenizer_known)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train ViP-LLaVA by ``recipe`` on the datasets below ``data``."""
    return family_parts(VIP_LLAVA, recipe, data=data, start=start, progress=progress)

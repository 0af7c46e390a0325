"""How well a trained model predicts answers about pictures that it never saw.

The loss per picture is far less noisy than right answers counted, so it tells models apart that have learnt
too little to be told apart by what they say.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from deixis.data.synthesis.dialogue_mix import KINDS, DialogueMix
from deixis.training.batches import Batches
from deixis.training.losses import weighted
from deixis.training.passes import losses_of
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.source_choice import SourceChoice

KEPT = ("view",)  # what of a recipe's network options says how pictures are shown, not what is built


@torch.inference_mode()
def unseen_losses(
    recipe: Recipe,
    model: Path,
    *,
    pack: Path,
    split: str,
    size: int = 8,
    outside: Literal["refuse", "cut", "pass_over"] | None = None,
    broken: Literal["refuse", "pass_over"] = "refuse",
    max_pixels: int | None = None,
    dialogues: DialogueMix | None = None,
    most: int | None = None,
) -> np.ndarray:
    """Return the total loss of ``model`` on every batch of ``size`` pictures of a split, each picture once.

    model: a folder that ``recipe`` made. The dialogues are drawn as in training, by the recipe's mix and
    seed: models whose recipes agree in these are asked the same and can be compared batch by batch.
    outside, broken, max_pixels: what is done with the dataset's faults, as for ``SourceChoice``.
    dialogues: other ones than the recipe's mix, such as ``captions_alone()``; models of recipes that differ
    in their mix can then be compared too. most: batches at most; None is all.
    """
    from deixis.systems import training_parts

    options = {name: value for name, value in recipe.network.items() if name in KEPT}
    pack = pack.resolve()
    choice = SourceChoice(
        folder=pack.name, split=split, outside=outside, broken=broken, max_pixels=max_pixels
    )
    mix = recipe.dialogues if dialogues is None else dialogues
    shown = replace(recipe, network=options, sources=(choice,), dialogues=mix)
    parts = training_parts(shown, data=pack.parent, start=model, work=model.parent)
    objective = parts.objective.eval()
    batches = Batches(parts.source, parts.collate, seed=recipe.seed, size=size)
    device = torch.device("cpu")
    return np.array(
        [
            float(weighted(losses_of(objective, batches[number], recipe, device=device)))
            for number in range(len(parts.source) // size)[:most]
        ]
    )


def captions_alone() -> DialogueMix:
    """Return the mix of one caption of every picture and nothing else.

    >>> captions_alone().caption, captions_alone().name
    (1.0, 0.0)
    """
    return DialogueMix(**{kind: float(kind == "caption") for kind in KINDS})


def paired_interval(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean of ``second - first``, values (n,) of the same items.

    >>> low, high = paired_interval(np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.4, 3.6]))
    >>> round(low, 2), round(high, 2)
    (0.39, 0.61)
    """
    away = second - first
    spread = 1.96 * float(away.std(ddof=1)) / len(away) ** 0.5
    return float(away.mean()) - spread, float(away.mean()) + spread

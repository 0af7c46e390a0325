"""How a recipe of Florence-VL becomes something to train."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from deixis.checkpoints.convert.florence_folder import is_florence, read_florence, write_decoder
from deixis.progress import Progress
from deixis.systems.florence_vl.answering import florence_vl_system, open_florence_vl
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.florence_vl.places.files import keep_tokens
from deixis.systems.florence_vl.places.on_demand import PlacesOnDemand
from deixis.systems.florence_vl.weights import TOKENIZER
from deixis.systems.network_options import stored_options
from deixis.systems.spliced.training.building import OWN, Member, family_parts
from deixis.systems.spliced.training.initial_parts import PARTS, Initial
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.text.templates import find_template
from deixis.text.tokenizers.codecs.defaults import CodecDefaults
from deixis.training.loop import TrainingParts
from deixis.training.recipes.recipe import Recipe


def reading(decoder: str, codec: str) -> CodecDefaults:
    """Return what is known of a published decoder's tokenizer: it has no token for regions.

    Of Llama-3's and Phi-3's, the mark that closes an answer ends it; Vicuna's settings name their end.
    """
    ends: tuple[str, ...] = ()
    if decoder in TOKENIZER and (decoder, codec) != ("llama", "sentencepieces"):
        _, template = TOKENIZER[decoder]
        ends = (find_template(template).stop,)
    return CodecDefaults(region=None, guard="spaced pieces", ends=ends)


FLORENCE_VL = Member(
    FlorenceVlConfig, FlorenceVlNetwork, florence_vl_system, open_florence_vl, reading=reading
)


def training_parts(
    recipe: Recipe, *, data: Path, start: Path | None, work: Path, progress: Progress
) -> TrainingParts:
    """Return what the loop needs to train Florence-VL by ``recipe`` on the datasets below ``data``."""
    parts = family_parts(FLORENCE_VL, recipe, data=data, start=start, progress=progress)
    florence = named_florence(recipe, data)
    if florence is not None:
        return replace(parts, save=partial(save_with_decoder, save=parts.save, florence=florence))
    if start is None or names_encoder(recipe):
        return parts  # the decoder of an earlier encoder is none of this one's
    return replace(parts, save=partial(save_with_places, save=parts.save, start=start))


def names_encoder(recipe: Recipe) -> bool:
    """Tell whether a recipe puts another vision encoder in the place of an earlier stage's."""
    options = options_of(recipe)
    initial = stored_options(options.get("initial", {}), PARTS, where=f"recipe {recipe.name!r} initial")
    return "tower" in initial or not {"tower", "encoder"}.isdisjoint(options)


def options_of(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's network options by the names of the configuration."""
    legal = inspect.signature(FlorenceVlConfig.__init__).parameters
    return stored_options(recipe.network, [*OWN, *legal], where=f"recipe {recipe.name!r} network")


def named_florence(recipe: Recipe, data: Path) -> Path | None:
    """Return the folder of Florence-2 that a recipe takes its vision encoder from; None for none."""
    where = f"recipe {recipe.name!r} network"
    named = Initial.below(data, options_of(recipe).get("initial", {}), where=where)
    folder = named.folders.get("tower")
    return folder if folder is not None and is_florence(folder) else None


def save_with_decoder(
    objective: nn.Module, folder: Path, *, save: Callable[[nn.Module, Path], None], florence: Path
) -> None:
    """Write the trained network, and beside it what only places need of the Florence-2 that it started from.

    Its decoder is as it was. A folder of Florence-2 without a decoder, or without a tokenizer, leaves out
    that file; asking for places then says which one is missing.
    """
    save(objective, folder)
    write_decoder(folder, read_florence(florence).rest())
    keep_tokens(florence, folder)


def save_with_places(
    objective: nn.Module, folder: Path, *, save: Callable[[nn.Module, Path], None], start: Path
) -> None:
    """Write the trained network, and beside it what only places need, where the earlier model has that.

    Florence-2's decoder is as it was: it isn't trained, though the encoder that it reads may have been.
    """
    assert isinstance(objective, SplicedObjective) and isinstance(objective.network, FlorenceVlNetwork)
    save(objective, folder)
    PlacesOnDemand(objective.network, start).save(folder)

"""How a recipe of Florence-VL becomes something to train."""

from __future__ import annotations

from pathlib import Path

from deixis.progress import Progress
from deixis.systems.florence_vl.answering import florence_vl_system, open_florence_vl
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.florence_vl.weights import TOKENIZER
from deixis.systems.spliced.training.building import Member, family_parts
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
    return family_parts(FLORENCE_VL, recipe, data=data, start=start, progress=progress)

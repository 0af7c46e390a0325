"""Untaught members of the family, with templates and tokenizers of every published kind of decoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from deixis.answers.reading.dialects import REGION_TOKEN
from deixis.layers.language.small_decoders import small_language
from deixis.systems.ferret_v2.answering import ferret_v2_system
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.spliced.answering import SplicedSystem
from deixis.text.prompt_tokens import TextCodec
from tests.systems.ferret.tiny import SAMPLER, SIDE, fresh_ferret, fresh_ferret_v2
from tests.text.tokenizers.made_codecs import gemma_codec, header_codec, phi_codec, piece_codec

FRESH: dict[str, Callable[[], SplicedSystem]] = {"ferret": fresh_ferret, "ferret_v2": fresh_ferret_v2}
SPOKEN: dict[str, tuple[str, Callable[[Path], TextCodec]]] = {
    "vicuna": ("ferret_vicuna_v1", piece_codec),
    "llama-3": ("ferret_llama_3", header_codec),
    "gemma": ("ferret_gemma_instruct", gemma_codec),
    "phi-3": ("ferret_phi3_instruct", lambda folder: phi_codec(folder, region=REGION_TOKEN)),
}


def spoken(name: str, folder: Path) -> SplicedSystem:
    """Return an untaught Ferret-v2 with a template and a tokenizer of one of the published decoders."""
    template, make = SPOKEN[name]
    codec = make(folder)
    config = FerretV2Config(
        language=small_language("tiny", words=len(codec), positions=4096),
        tower={"kind": "efficientnet_tiny", "side": SIDE},
        local_tower=None,
        separate_projectors=False,
        sampler=SAMPLER,
        global_side=SIDE,
        crop=SIDE,
        grids=[[1, 1], [1, 2], [2, 1]],
        template=template,
        codec="words",
        region_token_id=codec.region,
        bos_token_id=codec.bos,
        eos_token_id=codec.eos,
        pad_token_id=codec.pad,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ferret_v2_system(FerretV2Network(config), codec)

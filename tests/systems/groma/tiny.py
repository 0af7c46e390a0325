"""A Groma of a few thousand weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from deixis.systems import load
from deixis.systems.contract import System
from deixis.systems.groma.answering import GromaSystem, groma_system
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.model import GromaNetwork
from tests.systems.groma.words import groma_tokens, groma_words

SIDE = 96
LANGUAGE = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "initializer_range": 0.3,  # so large that what is asked decides what is said
}
PROPOSER = {
    "width": 16,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_heads": 2,
    "decoder_heads": 2,
    "encoder_feed_forward": 24,
    "decoder_feed_forward": 24,
    "encoder_points": 2,
    "decoder_points": 2,
    "queries": 12,
    "box_hidden": 16,
}
REGION_ENCODER = {
    "rounds": 1,
    "groups": 8,
    "roi_side": 3,
    "hidden": 16,
    "position_hidden": 8,
    "box_scale": SIDE,
    "stride": 16,
    "stride_scale": 1.0,
    "box_format": "xyxy",
}


def tiny_config(**options: Any) -> GromaConfig:
    """Return the settings of a tiny network over the words of ``words.py``."""
    codec, tokens = groma_words(), groma_tokens()
    fields: dict[str, Any] = {
        "language": {**LANGUAGE, "vocab_size": tokens.pad},
        "tower": {"kind": "efficientnet_tiny", "side": SIDE},
        "side": SIDE,
        "proposer": PROPOSER,
        "region_encoder": REGION_ENCODER,
        "box_score_thres": 0.0,
        "codec": "words",
        "bos_token_id": codec.bos,
        "eos_token_id": codec.eos,
    }
    return GromaConfig(**{**fields, **options})


def fresh_groma(seed: int = 0, **options: Any) -> GromaSystem:
    """Return an untaught Groma that says words; its proposer's heads are moved, so that boxes differ."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = GromaNetwork(tiny_config(**options))
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if ".bbox_embed." in name or ".class_embed" in name:
                    parameter.add_(torch.randn_like(parameter) * 0.5)
            head = network.get_parameter("language.lm_head.extra.weight")
            head.normal_(std=0.25)
    return groma_system(network, groma_words())


def saved_groma(folder: Path, **options: Any) -> System:
    """Return the same, saved and opened again."""
    fresh_groma(**options).save(folder)
    return load(folder, device="cpu")

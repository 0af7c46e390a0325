"""A Florence-VL of a few thousand weights over a tiny Florence-2."""

from __future__ import annotations

from typing import Any

import torch

from deixis.systems.florence_vl.answering import florence_vl_system
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.spliced.answering import SplicedSystem
from tests.systems.ferret.tiny import settings, tiny_codec

SIDE = 64
DAVIT = {
    "kind": "davit",
    "embed_dim": [8, 8, 16, 16],
    "num_heads": [1, 2, 2, 4],
    "num_groups": [2, 1, 4, 2],
    "depths": [1, 1, 2, 1],
    "window_size": 3,
    "patch_size": [7, 3, 3, 3],
    "patch_stride": [4, 2, 2, 2],
    "patch_padding": [3, 1, 1, 1],
    "side": SIDE,
}
ENCODER = {
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "grid_embeddings": 8,
    "temporal_embeddings": 4,
}


def tiny_options(**options: Any) -> dict[str, Any]:
    """Return the fields of a tiny configuration."""
    shared = {name: value for name, value in settings(tiny_codec()).items() if name != "sampler"}
    own = {
        "tower": DAVIT,
        "encoder": ENCODER,
        "side": SIDE,
        "template": "vicuna_v1",
        "region_token_id": None,
    }
    return shared | own | options


def tiny_network(seed: int = 0, **options: Any) -> FlorenceVlNetwork:
    """Return an untaught network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FlorenceVlNetwork(FlorenceVlConfig(**tiny_options(**options)))


def fresh_florence_vl(seed: int = 0, **options: Any) -> SplicedSystem:
    """Return an untaught Florence-VL."""
    return florence_vl_system(tiny_network(seed, **options), tiny_codec())

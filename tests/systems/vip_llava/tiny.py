"""A ViP-LLaVA of a few thousand weights."""

from __future__ import annotations

from typing import Any

import torch

from deixis.systems.vip_llava.answering import VipLlavaSystem, vip_llava_system
from deixis.systems.vip_llava.config import VipLlavaConfig
from deixis.systems.vip_llava.model import VipLlavaNetwork
from tests.systems.ferret.tiny import settings, tiny_codec

CLIP = {
    "kind": "clip",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 11,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}


def fresh_vip_llava(seed: int = 0, **options: Any) -> VipLlavaSystem:
    """Return an untaught ViP-LLaVA over a tiny CLIP."""
    codec = tiny_codec()
    shared = {name: value for name, value in settings(codec).items() if name != "sampler"}
    own = {"tower": CLIP, "side": 56, "region_token_id": None}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VipLlavaNetwork(VipLlavaConfig(**(shared | own | options)))
    return vip_llava_system(network, codec)

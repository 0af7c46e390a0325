"""The ViP-LLaVA system: regions are painted on the picture, and words say which mark means what."""

from __future__ import annotations

from pathlib import Path

import torch

from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.opening import open_member
from deixis.systems.spliced.painted.answering import PaintedSystem
from deixis.systems.spliced.preparation import SquareView
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.text.prompt_tokens import TextCodec


class VipLlavaSystem(PaintedSystem):
    """ViP-LLaVA (Cai et al., 2024)."""

    name = "vip_llava"

    def __init__(self, network: VipLlavaNetwork, codec: TextCodec) -> None:
        config = network.config
        view = SquareView(config.side, network.tower.normalisation, config.aspect)
        super().__init__(network, codec, view, spells_boxes=config.boxes != "none", style=config.paint_style)


def vip_llava_system(network: SplicedNetwork, codec: TextCodec) -> VipLlavaSystem:
    """Return the system of a network and its tokenizer."""
    assert isinstance(network, VipLlavaNetwork)
    return VipLlavaSystem(network, codec)


def open_vip_llava(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> VipLlavaSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    return open_member(VipLlavaNetwork, folder, make=vip_llava_system, dtype=dtype)

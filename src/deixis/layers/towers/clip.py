"""CLIP's vision transformer (Radford et al., 2021) as a tower of features, at any side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel
from transformers.activations import QuickGELUActivation

from deixis.layers.towers.feature_tower import (
    FeatureTower,
    resized_positions,
    selected_blocks,
    states_after,
)
from deixis.pictures.normalising import Normalisation

CLIP_PIXELS = Normalisation((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
# ViT-L/14 at 336 pixels, what Ferret and its relatives were trained with.
LARGE_336 = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
}


class QuickGelu(nn.Module):
    """x * sigmoid(1.702 x), to the bit what the library's is.

    Without gradients it holds one tensor beside its input instead of two: the widest ones of a block.
    """

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the activation (..., D) of hidden states (..., D)."""
        gate = 1.702 * hidden
        if torch.is_grad_enabled() and hidden.requires_grad:
            return hidden * torch.sigmoid(gate)
        return gate.sigmoid_().mul_(hidden)


class ClipTower(FeatureTower):
    """The patches' vectors after chosen blocks, without the last norm and without the class token.

    settings: fields of ``CLIPVisionConfig`` where they differ from ViT-L/14 at 336 pixels. select_layer: one
    hidden state or several, counted as in ``feature_tower.blocks_before``.
    """

    vision: CLIPVisionModel

    def __init__(self, settings: Mapping[str, Any], *, select_layer: int | Sequence[int] = -2) -> None:
        super().__init__()
        fields: dict[str, Any] = {**LARGE_336, **settings}
        config = CLIPVisionConfig(**fields)
        self.vision = CLIPVisionModel(config)
        for part in self.vision.modules():
            if isinstance(getattr(part, "activation_fn", None), QuickGELUActivation):
                part.activation_fn = QuickGelu()
        self.selected = selected_blocks(select_layer, blocks=config.num_hidden_layers)
        self.width, self.side = len(self.selected) * config.hidden_size, int(fields["image_size"])
        self.patch = int(fields["patch_size"])
        self.normalisation = CLIP_PIXELS

    def cells(self, side: int) -> int:
        """Return how many patches a row has."""
        return side // self.patch

    def states(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Turn normalised pixels (B, 3, S, S) into states (B, n * n, D), in the dtype of ``pixels``."""
        parts: Any = self.vision.embeddings
        patches = parts.patch_embedding(pixels.to(parts.patch_embedding.weight.dtype))
        positions = resized_positions(parts.position_embedding.weight, patches.shape[-1])
        patches = patches.flatten(2).transpose(1, 2)  # (B, n * n, D)
        first = parts.class_embedding.expand(patches.shape[0], 1, -1)
        hidden = torch.cat([first.to(patches.dtype), patches], dim=1) + positions  # (B, 1 + n * n, D)
        hidden = self.vision.pre_layrnorm(hidden)
        blocks = (partial(block, attention_mask=None) for block in self.vision.encoder.layers)
        states = states_after(blocks, hidden, selected=self.selected)
        return tuple(state[:, 1:].to(pixels.dtype) for state in states)

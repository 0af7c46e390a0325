"""DINOv2's vision transformer (Oquab et al., 2023) as a tower of features, at any side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import Dinov2Config, Dinov2Model

from deixis.layers.towers.feature_tower import (
    FeatureTower,
    Interpolation,
    resized_positions,
    selected_blocks,
    states_after,
)
from deixis.pictures.normalising import Normalisation

IMAGENET_PIXELS = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# ViT-L/14 without registers: as wide as CLIP's, so that its projector can start from CLIP's.
LARGE_518 = {
    "hidden_size": 1024,
    "mlp_ratio": 4,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 518,
    "patch_size": 14,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
}


class Dinov2Tower(FeatureTower):
    """The patches' vectors after chosen blocks, without the last norm and without the class token.

    settings: fields of ``Dinov2Config`` where they differ from ViT-L/14 at 518 pixels. select_layer: one
    hidden state or several, counted as in ``feature_tower.blocks_before``. interpolation: how positions are
    made to fit another side.
    """

    vision: Dinov2Model

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        select_layer: int | Sequence[int] = -2,
        interpolation: Interpolation = "size",
    ) -> None:
        super().__init__()
        self.interpolation: Interpolation = interpolation
        fields: dict[str, Any] = {**LARGE_518, **settings}
        config = Dinov2Config(**fields)
        self.vision = Dinov2Model(config)
        self.selected = selected_blocks(select_layer, blocks=config.num_hidden_layers)
        self.width, self.side = len(self.selected) * config.hidden_size, int(fields["image_size"])
        self.patch = int(fields["patch_size"])
        self.normalisation = IMAGENET_PIXELS

    def cells(self, side: int) -> int:
        """Return how many patches a row has."""
        return side // self.patch

    def states(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Turn normalised pixels (B, 3, S, S) into states (B, n * n, D), in the dtype of ``pixels``."""
        parts: Any = self.vision.embeddings
        own = pixels.to(parts.patch_embeddings.projection.weight.dtype)
        patches = parts.patch_embeddings(own)  # (B, n * n, D)
        first = parts.cls_token.expand(patches.shape[0], -1, -1)
        positions = resized_positions(
            parts.position_embeddings[0],
            self.cells(pixels.shape[-1]),
            interpolation=self.interpolation,
        )
        hidden = torch.cat([first.to(patches.dtype), patches], dim=1) + positions  # (B, 1 + n * n, D)
        hidden = parts.dropout(hidden)
        states = states_after(self.vision.encoder.layer, hidden, selected=self.selected)
        return tuple(state[:, 1:].to(pixels.dtype) for state in states)

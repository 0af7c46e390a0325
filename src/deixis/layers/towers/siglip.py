"""SigLIP's vision transformer (Zhai et al., 2023) as a tower of features, at its own side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor
from transformers import SiglipVisionConfig, SiglipVisionModel

from deixis.errors import UsageError
from deixis.layers.towers.feature_tower import FeatureTower, selected_blocks, states_after
from deixis.pictures.normalising import Normalisation

HALVES = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
# so400m with patches of 14 pixels at 384.
SO400M_384: dict[str, Any] = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
    "hidden_act": "gelu_pytorch_tanh",
    "layer_norm_eps": 1e-6,
}


class SiglipTower(FeatureTower):
    """The patches' vectors after chosen blocks, without the last norm; there is no class token.

    settings: fields of ``SiglipVisionConfig`` where they differ from so400m at 384 pixels. select_layer: one
    hidden state or several, counted as in ``feature_tower.blocks_before``.
    """

    vision: SiglipVisionModel

    def __init__(self, settings: Mapping[str, Any], *, select_layer: int | Sequence[int] = -2) -> None:
        super().__init__()
        fields: dict[str, Any] = {**SO400M_384, **settings, "vision_use_head": False}
        config = SiglipVisionConfig(**fields)
        self.vision = SiglipVisionModel(config)
        self.selected = selected_blocks(select_layer, blocks=config.num_hidden_layers)
        self.width, self.side = len(self.selected) * config.hidden_size, int(fields["image_size"])
        self.patch = int(fields["patch_size"])
        self.normalisation = HALVES

    def cells(self, side: int) -> int:
        """Return how many patches a row has; UsageError for a side that it wasn't made for."""
        if side != self.side:
            raise UsageError(f"a picture of side {side} was asked for; this tower takes {self.side}")
        return side // self.patch

    def states(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Turn normalised pixels (B, 3, S, S) into states (B, n * n, D), in the dtype of ``pixels``."""
        self.checked_cells(pixels.shape[-1])
        parts: Any = self.vision
        hidden = parts.embeddings(pixels.to(parts.embeddings.patch_embedding.weight.dtype))
        blocks = (partial(block, attention_mask=None) for block in parts.encoder.layers)
        states = states_after(blocks, hidden, selected=self.selected)
        return tuple(state.to(pixels.dtype) for state in states)

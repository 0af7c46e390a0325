"""The fields of vision encoders in files of settings: CLIP's, DINOv2's and the small convolutional ones'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.checkpoints.decoder_fields import ACTIVATIONS, DEEPEST, MOST_HEADS, SHARE, WIDEST
from deixis.files.declared_fields import ByKind, Field, Group, Number, OneOf, Truth, Whole
from deixis.layers.towers.efficientnet_lite import SIZES
from deixis.layers.towers.feature_grid import COARSEST

LARGEST_SIDE = 2048  # pixels: more than four times what any published system sees at once
SIDE = Whole(1, LARGEST_SIDE)
TRANSFORMER: dict[str, Field] = {
    "hidden_size": Whole(1, WIDEST),
    "num_hidden_layers": Whole(1, DEEPEST),
    "num_attention_heads": Whole(1, MOST_HEADS),
    "image_size": SIDE,
    "patch_size": SIDE,
    "num_channels": Whole(3, 3),
    "hidden_act": OneOf(ACTIVATIONS),
    "layer_norm_eps": Number(0, 1),
    "initializer_range": Number(0, 100),
}
CLIP: dict[str, Field] = {
    **TRANSFORMER,
    "intermediate_size": Whole(1, WIDEST * 8),
    "projection_dim": Whole(1, WIDEST),
    "attention_dropout": SHARE,
    "initializer_factor": Number(0, 100),
}
DINOV2: dict[str, Field] = {
    **TRANSFORMER,
    "mlp_ratio": Number(0, 64, above=True),
    "hidden_dropout_prob": SHARE,
    "attention_probs_dropout_prob": SHARE,
    "drop_path_rate": SHARE,
    "layerscale_value": Number(-100, 100),
    "qkv_bias": Truth(),
    "use_swiglu_ffn": Truth(),
    "use_mask_token": Truth(),
    "apply_layernorm": Truth(),
    "reshape_hidden_states": Truth(),
}


def blocks_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where heads don't share out the width, or a picture is smaller than a patch."""
    heads, width = fields.get("num_attention_heads"), fields.get("hidden_size")
    if heads is not None and width is not None and width % heads:
        raise ValueError(f"{heads} heads share a width of {width}; expected a divisor")
    side, patch = fields.get("image_size"), fields.get("patch_size")
    if side is not None and patch is not None and side < patch:
        raise ValueError(f"image_size is {side} and patch_size {patch}; expected at least one patch")


GRID = Group({"side": Whole(COARSEST, LARGEST_SIDE, multiple=COARSEST)})
TOWER = ByKind(
    "kind",
    {
        "clip": Group(CLIP, fits=blocks_fit),
        "dinov2": Group(DINOV2, fits=blocks_fit),
        **dict.fromkeys(SIZES, GRID),
    },
)

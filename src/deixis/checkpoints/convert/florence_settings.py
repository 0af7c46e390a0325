"""Florence-2's config.json, original or native, as settings of our parts, and back.

It is read by hand: the library takes the original file for its own class with the sizes of Florence-2-base,
and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deixis.checkpoints.files.lazy import Tensors
from deixis.checkpoints.florence_fields import DAVIT, ENCODER
from deixis.errors import BadWeights
from deixis.layers.towers.florence_davit import LARGE_768
from deixis.layers.towers.florence_encoder import LARGE

POOLING = ["spatial_avg_pool", "temporal_avg_pool"]
HEAD, ENCODER_HEAD = 32, 64  # what a head is wide in every Florence-2
STRIDES, PADDINGS = (4, 2, 2, 2), (3, 1, 1, 1)
SHARED = ("num_heads", "num_groups", "depths", "window_size", "patch_size", "patch_stride", "patch_padding")
OPTIONAL = ("drop_path_rate", "mlp_ratio", "qkv_bias", "activation_function")
TEXT = tuple(name for name in LARGE if name not in ("grid_embeddings", "temporal_embeddings"))


def florence_settings(config: Mapping[str, Any], *, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of the tower and of the encoder that a config.json of Florence-2 says.

    BadWeights: a field is missing, or asks for something that Florence-2 hasn't got.
    """
    vision, text = (part(config, name, where=where) for name in ("vision_config", "text_config"))
    width = needed(vision, "dim_embed" if "dim_embed" in vision else "embed_dim", where=where)
    tower = {"embed_dim": width, **{name: needed(vision, name, where=where) for name in SHARED}}
    tower |= {name: vision[name] for name in OPTIONAL if name in vision}
    tower = {**LARGE_768, **tower, "side": config.get("image_size", LARGE_768["side"])}
    DAVIT.check(tower, name="vision_config", where=where)
    encoder = {name: needed(text, name, where=where) for name in TEXT}
    positions = part(vision, "image_pos_embed", where=where, default=vision)
    frames = part(vision, "visual_temporal_embedding", where=where, default=vision)
    encoder["grid_embeddings"] = positions.get(
        "max_pos_embeddings", positions.get("max_position_embeddings", 50)
    )
    encoder["temporal_embeddings"] = frames.get("max_temporal_embeddings", 100)
    ENCODER.check(encoder, name="text_config", where=where)
    refuse_others(vision, text, encoder, where=where)
    return {"kind": "davit", **tower}, encoder


def refuse_others(
    vision: Mapping[str, Any], text: Mapping[str, Any], encoder: Mapping[str, Any], *, where: str
) -> None:
    """Raise BadWeights for what would give other numbers than the network that is built."""
    prenorm = vision.get("patch_prenorm") or [False]
    wanted = [
        ("patch_prenorm", list(prenorm), [stage > 0 for stage in range(len(prenorm))]),
        ("image_feature_source", vision.get("image_feature_source", POOLING), POOLING),
        ("projection_dim", vision.get("projection_dim", encoder["d_model"]), encoder["d_model"]),
        ("normalize_before", text.get("normalize_before", False), False),
        ("add_final_layer_norm", text.get("add_final_layer_norm", False), False),
    ]
    for name, given, known in wanted:
        if given != known:
            raise BadWeights(f"{where}: field {name!r} is {given!r:.80}; known is {known!r}")


def part(config: Mapping[str, Any], name: str, *, where: str, default: Any = None) -> Mapping[str, Any]:
    """Return an object of a file; BadWeights where it is none."""
    value = config.get(name, default)
    if not isinstance(value, Mapping):
        raise BadWeights(f"{where}: field {name!r} is {value!r:.60}; expected an object")
    return value


def needed(config: Mapping[str, Any], name: str, *, where: str) -> Any:
    """Return a field; BadWeights where it is missing."""
    if config.get(name) is None:
        raise BadWeights(f"{where}: field {name!r} of Florence-2 is missing; fetch the whole file")
    return config[name]


def original_config(tower: Mapping[str, Any], encoder: Mapping[str, Any], *, words: int) -> dict[str, Any]:
    """Return settings of our parts as Florence-2's own config.json, without what only its decoder reads.

    image_size is an addition; Florence-2 keeps it with its image processor.
    """
    vision = {
        "model_type": "davit",
        "dim_embed": tower["embed_dim"],
        **{name: tower[name] for name in (*SHARED, "drop_path_rate", "mlp_ratio", "qkv_bias")},
        "activation_function": tower["activation_function"],
        "patch_prenorm": [stage > 0 for stage in range(len(tower["embed_dim"]))],
        "projection_dim": encoder["d_model"],
        "visual_temporal_embedding": {
            "type": "COSINE",
            "max_temporal_embeddings": encoder["temporal_embeddings"],
        },
        "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": encoder["grid_embeddings"]},
        "image_feature_source": POOLING,
    }
    text = {
        **{name: encoder[name] for name in TEXT},
        "model_type": "florence2_language",
        "vocab_size": words,
        "normalize_before": False,
        "add_final_layer_norm": False,
    }
    return {
        "model_type": "florence2",
        "projection_dim": encoder["d_model"],
        "vocab_size": words,
        "image_size": tower["side"],
        "vision_config": vision,
        "text_config": text,
    }


def inferred(tensors: Tensors) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that shapes of original weights speak of; windows and heads are as published."""
    shapes = {key: tensor.shape for key, tensor in tensors.items()}
    where = next(iter(tensors.values())).where if tensors else "the checkpoint"

    def shape(key: str, axes: int) -> tuple[int, ...]:
        found = shapes.get(key)
        if found is None or len(found) != axes:
            raise BadWeights(
                f"{where}: the stored vision encoder has no {key} of {axes} axes; is it Florence-2?"
            )
        return found

    stages = [key for key in shapes if re.fullmatch(r"vision_tower\.convs\.\d+\.proj\.weight", key)]
    kernels = [shape(f"vision_tower.convs.{stage}.proj.weight", 4) for stage in range(len(stages))]
    if len(kernels) != len(STRIDES):
        raise BadWeights(f"{where}: the stored vision encoder has {len(kernels)} stages; Florence-2 has 4")
    widths, (width, ffn) = [kernel[0] for kernel in kernels], encoder_sizes(shape)
    blocks = [number(shapes, rf"vision_tower\.blocks\.{stage}\.(\d+)\.") for stage in range(len(kernels))]
    tower = {
        **LARGE_768,
        "embed_dim": widths,
        "num_heads": [max(one // HEAD, 1) for one in widths],
        "num_groups": [max(one // HEAD, 1) for one in widths],
        "depths": blocks,
        "patch_size": [kernel[-1] for kernel in kernels],
        "patch_stride": list(STRIDES),
        "patch_padding": list(PADDINGS),
    }
    encoder = {
        **LARGE,
        "d_model": width,
        "encoder_layers": number(shapes, r"language_model\.model\.encoder\.layers\.(\d+)\."),
        "encoder_attention_heads": max(width // ENCODER_HEAD, 1),
        "encoder_ffn_dim": ffn,
        "max_position_embeddings": shape("language_model.model.encoder.embed_positions.weight", 2)[0] - 2,
        "grid_embeddings": shape("image_pos_embed.row_embeddings.weight", 2)[0],
        "temporal_embeddings": shape("visual_temporal_embed.pos_idx_to_embed", 2)[0],
    }
    DAVIT.check(tower, name="", where=where)
    ENCODER.check(encoder, name="", where=where)
    return {"kind": "davit", **tower}, encoder


def encoder_sizes(shape: Any) -> tuple[int, int]:
    """Return the encoder's width and that of its hidden layers."""
    hidden, width = shape("language_model.model.encoder.layers.0.fc1.weight", 2)
    return width, hidden


def number(names: Mapping[str, Any], pattern: str) -> int:
    """Return how many different numbers stand at the place of a pattern's group."""
    return len({found[1] for name in names if (found := re.match(pattern, name))})

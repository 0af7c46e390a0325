"""The fields of Florence-2's parts in files of settings: DaViT's and the encoder's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.checkpoints.decoder_fields import ACTIVATIONS, DEEPEST, LONGEST, MOST_HEADS, SHARE, WIDEST
from deixis.files.declared_fields import Field, Group, Listed, Number, OneOf, Truth, Whole

MOST_STAGES, LARGEST_SIDE = 8, 2048


def each(field: Field) -> Field:
    """Return the field of a list with an entry for each stage."""
    return Listed(field, 1, MOST_STAGES)


def stages_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where lists differ in length, or heads don't share out a stage's width."""
    lists = {name: value for name, value in fields.items() if isinstance(value, list | tuple)}
    lengths = {name: len(value) for name, value in lists.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"its lists are of lengths {lengths}; expected one entry for each stage")
    for name in ("num_heads", "num_groups"):
        for width, count in zip(lists.get("embed_dim", ()), lists.get(name, ()), strict=False):
            if width % count:
                raise ValueError(f"{name} has {count} for a width of {width}; expected a divisor")


def heads_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where heads don't share out the width."""
    heads, width = fields.get("encoder_attention_heads"), fields.get("d_model")
    if heads is not None and width is not None and width % heads:
        raise ValueError(f"{heads} heads share a width of {width}; expected a divisor")


DAVIT = Group(
    {
        "embed_dim": each(Whole(2, WIDEST)),
        "num_heads": each(Whole(1, MOST_HEADS)),
        "num_groups": each(Whole(1, MOST_HEADS)),
        "depths": each(Whole(1, DEEPEST)),
        "window_size": Whole(1, 256),
        "patch_size": each(Whole(1, 64)),
        "patch_stride": each(Whole(1, 64)),
        "patch_padding": each(Whole(0, 64)),
        "drop_path_rate": SHARE,
        "mlp_ratio": Number(0, 64, above=True),
        "qkv_bias": Truth(),
        "activation_function": OneOf(ACTIVATIONS),
        "side": Whole(1, LARGEST_SIDE),
    },
    fits=stages_fit,
)
ENCODER = Group(
    {
        "d_model": Whole(2, WIDEST),
        "encoder_layers": Whole(1, DEEPEST),
        "encoder_attention_heads": Whole(1, MOST_HEADS),
        "encoder_ffn_dim": Whole(1, WIDEST * 8),
        "max_position_embeddings": Whole(1, LONGEST),
        "grid_embeddings": Whole(1, LARGEST_SIDE),
        "temporal_embeddings": Whole(1, LONGEST),
        "activation_function": OneOf(ACTIVATIONS),
        "dropout": SHARE,
        "attention_dropout": SHARE,
        "activation_dropout": SHARE,
        "scale_embedding": Truth(),
    },
    fits=heads_fit,
)

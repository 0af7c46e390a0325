"""Groma's published config.json as our settings, and back.

The files list only what differs from the defaults of ``transformers`` 4.32, which wrote them; what is missing
is filled in with those, not with the defaults of the installed library (groma.md section 17).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deixis.errors import BadWeights

DINOV2_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "mlp_ratio": 4,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-6,
        "image_size": 224,
        "patch_size": 16,
        "qkv_bias": True,
        "use_swiglu_ffn": False,
    }
)
DETECTOR_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "d_model": 256,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "encoder_attention_heads": 8,
        "decoder_attention_heads": 8,
        "encoder_ffn_dim": 1024,
        "decoder_ffn_dim": 1024,
        "num_feature_levels": 4,
        "encoder_n_points": 4,
        "decoder_n_points": 4,
        "num_queries": 300,
        "two_stage_num_proposals": 300,
        "activation_function": "relu",
        "dropout": 0.1,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "position_embedding_type": "sine",
    }
)
# Our fields of a proposer by the published names.
PROPOSER_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "width": "d_model",
        "encoder_layers": "encoder_layers",
        "decoder_layers": "decoder_layers",
        "encoder_heads": "encoder_attention_heads",
        "decoder_heads": "decoder_attention_heads",
        "encoder_feed_forward": "encoder_ffn_dim",
        "decoder_feed_forward": "decoder_ffn_dim",
        "encoder_points": "encoder_n_points",
        "decoder_points": "decoder_n_points",
        "levels": "num_feature_levels",
        "queries": "two_stage_num_proposals",
        "activation": "activation_function",
        "dropout": "dropout",
        "attention_dropout": "attention_dropout",
        "activation_dropout": "activation_dropout",
    }
)


def proposer_fields(published: Mapping[str, Any], *, where: str = "ddetr_cfg") -> dict[str, Any]:
    """Return our fields of a proposer, what the published ones leave out filled in.

    BadWeights for a detector of another kind than Groma's.
    """
    fields = {**DETECTOR_DEFAULTS, **published}
    classes = len(fields["id2label"]) if isinstance(fields.get("id2label"), Mapping) else None
    fixed = {
        "two_stage": True,
        "with_box_refine": True,
        "position_embedding_type": "sine",
        "num_labels": 1 if classes is None else classes,
    }
    for name, wanted in fixed.items():
        if fields.get(name, wanted) != wanted:
            raise BadWeights(
                f"{where}: field {name!r} is {fields[name]!r:.40}; Groma's proposer has {wanted!r}"
            )
    if fixed["num_labels"] != 1:
        raise BadWeights(f"{where}: the proposer has {fixed['num_labels']} classes; Groma's has one")
    if fields["num_queries"] != fields["two_stage_num_proposals"]:
        raise BadWeights(
            f"{where}: num_queries is {fields['num_queries']!r:.20} and two_stage_num_proposals "
            f"{fields['two_stage_num_proposals']!r:.20}; expected equal numbers"
        )
    return {ours: fields[name] for ours, name in PROPOSER_FIELDS.items()}

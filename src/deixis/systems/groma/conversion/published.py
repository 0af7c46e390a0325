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


def tower_fields(published: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the vision encoder, what the published ones leave out filled in."""
    fields = {**DINOV2_DEFAULTS, **published}
    return {"kind": "dinov2", **{name: fields[name] for name in DINOV2_DEFAULTS}}


def group(config: Mapping[str, Any], name: str, *, where: str) -> Mapping[str, Any]:
    """Return a part of a configuration; BadWeights where it is missing."""
    part = config.get(name)
    if not isinstance(part, Mapping):
        raise BadWeights(f"{where}: field {name!r} is {part!r:.60}; expected an object")
    return part


def perceiver_fields(config: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return our fields of perception for a published perceiver's configuration."""
    last = config.get("vis_output_layer", -1)
    if type(last) is not int:
        raise BadWeights(f"{where}: field 'vis_output_layer' is {last!r:.40}; expected a whole number")
    return {
        "tower": tower_fields(group(config, "vis_encoder_cfg", where=where)),
        "proposer": proposer_fields(group(config, "ddetr_cfg", where=where), where=where),
        "picture_layer": last,
    }


def published_perceiver(config: Any) -> dict[str, Any]:
    """Return the perceiver of our configuration as the authors' file has it, every field written out."""
    tower = {name: one for name, one in config.tower.items() if name != "kind"}
    sizes = {ours: config.proposer[ours] for ours in PROPOSER_FIELDS if ours in config.proposer}
    detector = {**DETECTOR_DEFAULTS, "num_feature_levels": 1}
    detector |= {PROPOSER_FIELDS[ours]: value for ours, value in sizes.items()}
    return {
        "model_type": "ddetr",
        "vis_encoder_cfg": {"model_type": "dinov2", **DINOV2_DEFAULTS, **tower},
        "ddetr_cfg": {
            "model_type": "deformable_detr",
            **detector,
            "num_queries": detector["two_stage_num_proposals"],
            "two_stage": True,
            "with_box_refine": True,
            "auxiliary_loss": True,
            "class_cost": 2,
            "bbox_cost": 5,
            "giou_cost": 2,
            "cls_loss_coefficient": 2,
            "bbox_loss_coefficient": 5,
            "giou_loss_coefficient": 2,
            "focal_alpha": 0.25,
            "id2label": {"0": "LABEL_0"},
            "label2id": {"LABEL_0": 0},
        },
        "vis_output_layer": getattr(config, "picture_layer", -1),
        "zs_weight_path": None,
    }

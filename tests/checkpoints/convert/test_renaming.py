"""Original key names and ours, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.checkpoints.convert.renaming import (
    dinov2_attention,
    is_dropped,
    with_parts,
)
from deixis.errors import BadWeights
from deixis.layers.towers.dinov2 import Dinov2Tower
from deixis.systems.ferret.keys import FERRET
from deixis.systems.ferret_v2.keys import FERRET_V2

CLIP = "model.vision_tower.vision_tower.vision_model."
DINOV2 = "model.vision_tower_local.vision_tower."
TABLE = [
    ("lm_head.weight", "language.lm_head.weight"),
    ("model.embed_tokens.weight", "language.model.embed_tokens.weight"),
    ("model.layers.31.self_attn.q_proj.weight", "language.model.layers.31.self_attn.q_proj.weight"),
    ("model.norm.weight", "language.model.norm.weight"),
    ("model.mm_projector.weight", "projector.weight"),
    ("model.mm_projector.2.bias", "projector.2.bias"),
    ("model.mm_projector_local.0.weight", "local_projector.0.weight"),
    (
        "model.region_geo_sampler.agg_projector_list.1.net.0.weight",
        "sampler.agg_projector_list.1.net.0.weight",
    ),
    ("model.region_fea_adapter.bias", "region_adapter.bias"),
    ("model.image_newline", "newline"),
    (CLIP + "embeddings.class_embedding", "tower.vision.embeddings.class_embedding"),
    (CLIP + "pre_layrnorm.weight", "tower.vision.pre_layrnorm.weight"),
    (CLIP + "encoder.layers.23.mlp.fc1.bias", "tower.vision.encoder.layers.23.mlp.fc1.bias"),
    (DINOV2 + "embeddings.cls_token", "local_tower.vision.embeddings.cls_token"),
    (DINOV2 + "embeddings.position_embeddings", "local_tower.vision.embeddings.position_embeddings"),
    (
        DINOV2 + "encoder.layer.3.attention.attention.query.weight",
        "local_tower.vision.encoder.layer.3.attention.attention.query.weight",
    ),
    (
        DINOV2 + "encoder.layer.3.attention.output.dense.bias",
        "local_tower.vision.encoder.layer.3.attention.output.dense.bias",
    ),
    (
        DINOV2 + "encoder.layer.3.layer_scale1.lambda1",
        "local_tower.vision.encoder.layer.3.layer_scale1.lambda1",
    ),
    (DINOV2 + "vision_model.post_layernorm.bias", "local_tower.vision.post_layernorm.bias"),
]


@pytest.mark.parametrize(("original", "ours"), TABLE)
def test_both_ways(original: str, ours: str) -> None:
    ours = with_parts(ours, dinov2_attention())  # what the installed library calls the parts of attention
    assert FERRET_V2.to_ours(original) == ours
    assert FERRET_V2.to_original(ours) == original


@pytest.mark.parametrize(
    "key", ["model.strange.weight", "transformer.h.0.weight", "model.image_newlines", "", "model."]
)
def test_unknown_keys_are_named(key: str) -> None:
    with pytest.raises(
        BadWeights, match="is no key of a Ferret-v2 checkpoint; expected one that begins with"
    ):
        FERRET_V2.to_ours(key)


def test_what_only_ferret_v2_has() -> None:
    with pytest.raises(BadWeights, match="no key of a Ferret checkpoint"):
        FERRET.to_ours("model.image_newline")
    with pytest.raises(BadWeights, match="only CLIP and DINOv2 towers have original names"):
        FERRET_V2.to_original("tower.vision.stem.conv.weight")


@settings(deadline=None)  # the first call looks at the installed library
@given(st.sampled_from([ours for _, ours in TABLE if ours.endswith("weight")]), st.integers(0, 80))
def test_layers_of_any_number_come_back(ours: str, layer: int) -> None:
    ours = with_parts(ours, dinov2_attention())
    key = ours.replace("31", str(layer)).replace(".3.", f".{layer}.")
    assert FERRET_V2.to_ours(FERRET_V2.to_original(key)) == key


@pytest.mark.parametrize(
    ("key", "dropped"),
    [
        ("model.layers.0.self_attn.rotary_emb.inv_freq", True),
        (CLIP + "embeddings.position_ids", True),
        ("model.layers.0.self_attn.q_proj.weight", False),
        (CLIP + "embeddings.position_embedding.weight", False),
    ],
)
def test_buffers_are_dropped(key: str, dropped: bool) -> None:
    assert is_dropped(key) is dropped


def test_attention_is_named_as_the_tower_has_it() -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28}
    names = Dinov2Tower(sizes).state_dict().keys()
    for part in (
        "attention.query.weight",
        "attention.key.bias",
        "attention.value.weight",
        "output.dense.bias",
    ):
        original = f"model.vision_tower_local.vision_tower.encoder.layer.1.attention.{part}"
        assert FERRET_V2.to_ours(original).removeprefix("local_tower.") in names

"""What published config.json files say and leave out: the region token, the decoder, the vision encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from deixis.checkpoints.convert.region_token import region_token
from deixis.checkpoints.convert.renaming import dinov2_attention, with_parts
from deixis.checkpoints.convert.tower_folder import find_tower, read_tower
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.checkpoints.language_settings import language_settings, published_language, token_ids
from deixis.errors import BadWeights, MissingWeights
from deixis.layers.language.causal_decoders import build_decoder
from tests.checkpoints.tiny_checkpoints import (
    CLIP,
    clip_folder,
    clip_state,
    dinov2_state,
    edit_json,
    llama_fields,
    write_json,
    write_safetensors,
)

FALSE = {"mm_use_im_patch_token": False}


@pytest.mark.parametrize(
    ("config", "rows", "pieces", "expected"),
    [
        (FALSE | {"im_region_fea_token": 32000}, 32001, 32000, 32000),
        ({"im_region_fea_token": 32000}, 32001, 32000, 32000),  # stated is stated
        (FALSE, 32001, 32000, 32000),
        ({}, 32002, 32000, 32001),  # not said means that <im_patch> comes first
        ({"mm_use_im_patch_token": True}, 32002, 32000, 32001),
        (FALSE | {"mm_use_im_start_end": True}, 32003, 32000, 32000),
        ({"mm_use_im_start_end": True}, 32004, 32000, 32001),
        (FALSE, 32001, None, 32000),
        ({}, 32002, None, 32001),
        (FALSE | {"mm_use_im_start_end": True}, 32003, None, 32000),
    ],
)
def test_the_region_token(config: dict[str, Any], rows: int, pieces: int | None, expected: int) -> None:
    assert region_token(config, rows=rows, pieces=pieces, where="c.json") == expected


@pytest.mark.parametrize(
    ("config", "rows", "words"),
    [
        ({}, 32001, ["has no mm_use_im_patch_token, which means true", "make 32002 rows", "has 32001"]),
        (FALSE, 32000, ["make 32001 rows", "has 32000", "mm_use_im_patch_token False"]),
        (
            {"im_region_fea_token": 32001},
            32001,
            ["im_region_fea_token is 32001", "32001 rows", "which means true"],
        ),
        (FALSE | {"im_region_fea_token": "x"}, 32001, ["is 'x'"]),
    ],
)
def test_a_region_token_that_cannot_be(config: dict[str, Any], rows: int, words: list[str]) -> None:
    with pytest.raises(BadWeights) as caught:
        region_token(config, rows=rows, pieces=32000, where="c.json")
    for word in ["c.json", *words]:
        assert word in str(caught.value)


def shapes(rows: int, *, query: int = 48, key: int = 48) -> dict[str, LazyTensor]:
    parts = {"model.embed_tokens.weight": (rows, 48)}
    parts |= {
        f"model.layers.0.self_attn.{one}_proj.weight": (out, 48) for one, out in (("q", query), ("k", key))
    }
    return {name: held(torch.zeros(shape), where="w.bin") for name, shape in parts.items()}


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def test_a_decoder_as_published_makes_ours_and_comes_back() -> None:
    fields = llama_fields(99, groups=2) | {
        "model_type": "ferret_llama",
        "rope_theta": 500000.0,
        "rope_scaling": None,
    }
    ours = language_settings(fields, shapes(99, key=24), where="c.json")
    assert ours["model_type"] == "llama" and ours["vocab_size"] == 99
    config = build_decoder(ours).config
    assert config.rope_parameters["rope_theta"] == 500000.0 and config.num_key_value_heads == 2
    back = published_language(ours)
    assert {name: back[name] for name in fields if name != "model_type"} == without(fields, "model_type")


def test_positions_stretched_come_back() -> None:
    scaling = {"type": "linear", "factor": 4.0}
    fields = llama_fields(99) | {"model_type": "ferret", "rope_scaling": scaling}
    back = published_language(language_settings(fields, shapes(99), where="c.json"))
    assert back["rope_scaling"]["factor"] == 4.0 and back["rope_scaling"]["rope_type"] == "linear"


@pytest.mark.parametrize(
    ("given", "query", "key", "groups", "expected"),
    [
        ({"num_attention_head": 4}, 48, 24, 2, 4),
        ({"num_attention_head": 32}, 96, 24, 8, 32),
        ({}, 96, 24, 8, 32),  # the library's own number of heads
        ({"num_attention_head": 7}, 96, 24, 8, 32),
        ({"num_attention_heads": 4, "num_attention_head": 32}, 48, 24, 2, 4),
        ({"num_attention_head": 4}, 48, 48, None, 4),
    ],
)
def test_heads_under_a_wrong_name(
    given: dict[str, Any], query: int, key: int, groups: int | None, expected: int
) -> None:
    fields = without(llama_fields(99), "num_attention_heads", "num_key_value_heads") | given
    fields |= {"hidden_size": 96, "model_type": "ferret_llama"} | (
        {"num_key_value_heads": groups} if groups else {}
    )
    found = language_settings(fields, shapes(99, query=query, key=key), where="c.json")
    assert found["num_attention_heads"] == expected


def test_heads_that_go_with_nothing() -> None:
    fields = without(llama_fields(99, groups=2), "num_attention_heads") | {"num_attention_head": 5}
    with pytest.raises(
        BadWeights, match=r"'num_attention_heads' is missing.*\[48, 48\] and \[24, 48\].*2 key-value"
    ):
        language_settings(fields, shapes(99, key=24), where="c.json")


def test_gemma_is_tied_and_its_gelu_is_the_tanh_form() -> None:
    fields = without(llama_fields(99), "tie_word_embeddings") | {
        "model_type": "ferret_gemma",
        "hidden_act": "gelu",
    }
    ours = language_settings(fields | {"head_dim": 12}, shapes(99), where="c.json")
    assert ours["model_type"] == "gemma" and ours["tie_word_embeddings"] is True
    assert ours["hidden_act"] == "gelu_pytorch_tanh" and ours["head_dim"] == 12


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            {"vocab_size": 98},
            r"w.bin: model.embed_tokens.weight is \[99, 48\], but c.json says vocab_size 98",
        ),
        ({"hidden_size": None}, "'hidden_size' is None; expected a whole number"),
        ({"num_hidden_layers": "two"}, "'num_hidden_layers' is 'two'"),
        ({"num_attention_heads": 0}, "'num_attention_heads' is 0"),
        ({"num_attention_heads": 5}, "make no llama configuration|hidden size"),
        ({"pad_token_id": 99}, "pad_token_id is 99, but vocab_size is 99"),
        ({"eos_token_id": [2, 400]}, r"eos_token_id is \[2, 400\]"),
    ],
)
def test_fields_that_are_wrong(change: dict[str, Any], word: str) -> None:
    with pytest.raises(BadWeights, match=word):
        language_settings(llama_fields(99) | change, shapes(99), where="c.json")


def test_tokens_that_fill_default_to_the_first() -> None:
    fields = llama_fields(99) | {"pad_token_id": None}
    ours = language_settings(fields, shapes(99), where="c.json")
    assert token_ids(ours) == {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_clip_of_its_authors(tmp_path: Path) -> None:
    clip_folder(tmp_path, draw())
    tower = read_tower(tmp_path)
    assert tower.settings == {"kind": "clip", **CLIP}
    assert set(tower.tensors) == {key.removeprefix("vision_model.") for key in clip_state(draw())}
    assert "tower.vision.pre_layrnorm.weight" in tower.under("tower")


def test_clip_of_newer_libraries_and_its_defaults(tmp_path: Path) -> None:
    write_safetensors(
        tmp_path, {key.removeprefix("vision_model."): one for key, one in clip_state(draw()).items()}
    )
    fields = without(CLIP, "hidden_act", "layer_norm_eps")
    write_json(tmp_path / "config.json", fields | {"model_type": "clip_vision_model"})
    tower = read_tower(tmp_path)
    assert tower.settings == {"kind": "clip", **CLIP} and len(tower.tensors) == len(clip_state(draw()))


def test_dinov2(tmp_path: Path) -> None:
    write_safetensors(tmp_path, dinov2_state(draw()))
    write_json(
        tmp_path / "config.json", without(CLIP, "hidden_act", "layer_norm_eps") | {"model_type": "dinov2"}
    )
    tower = read_tower(tmp_path)
    assert tower.settings["kind"] == "dinov2" and tower.settings["layer_norm_eps"] == 1e-6
    assert with_parts("encoder.layer.1.attention.attention.query.weight", dinov2_attention()) in tower.tensors


@pytest.mark.parametrize("change", [{"model_type": "siglip"}, {"model_type": None}, {"vision_config": 3}])
def test_other_towers_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    clip_folder(tmp_path, draw())
    edit_json(tmp_path / "config.json", **change)
    with pytest.raises(
        BadWeights, match="expected the vision encoder as CLIP or DINOv2, for Ferret the folder of openai"
    ):
        read_tower(tmp_path)


def test_a_tower_without_its_sizes_or_weights(tmp_path: Path) -> None:
    clip_folder(tmp_path, draw())
    edit_json(tmp_path / "config.json", vision_config=without(CLIP, "patch_size"))
    with pytest.raises(BadWeights, match="field 'patch_size' of the vision encoder is missing"):
        read_tower(tmp_path)
    torch.save({"text_model.a": torch.ones(1)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(BadWeights, match="holds no tensors of a clip vision encoder"):
        read_tower(tmp_path)


def test_where_a_tower_is_looked_for(tmp_path: Path) -> None:
    name = "/somebody/elses/clip"
    beside, given = tmp_path / "vision_tower", tmp_path / "given"
    with pytest.raises(MissingWeights) as caught:
        find_tower({}, tower=None, beside=beside, named=name)
    for word in (
        name,
        "which is not looked up",
        "openai/clip-vit-large-patch14-336",
        "--vision-encoder",
        str(beside),
    ):
        assert word in str(caught.value)
    beside.mkdir()
    clip_folder(beside, draw())
    assert find_tower({}, tower=None, beside=beside, named=name).settings["hidden_size"] == 32
    given.mkdir()
    clip_folder(given, draw())
    edit_json(given / "config.json", vision_config=CLIP | {"layer_norm_eps": 0.5})
    assert find_tower({}, tower=given, beside=beside, named=name).settings["layer_norm_eps"] == 0.5


def wide_clip(width: int) -> dict[str, LazyTensor]:
    parts = {
        "embeddings.patch_embedding.weight": (width, 3, 14, 14),
        "embeddings.position_embedding.weight": (577, width),
        "encoder.layers.0.mlp.fc1.weight": (3 * width, width),
        "encoder.layers.1.mlp.fc1.weight": (3 * width, width),
    }
    return {f"vision_model.{key}": held(torch.zeros(shape), where="w") for key, shape in parts.items()}


def test_a_stored_tower_tells_its_sizes(tmp_path: Path) -> None:
    tower = find_tower(wide_clip(128), tower=None, beside=tmp_path / "none", named=None)
    expected = {
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    assert tower.settings == {**CLIP, **expected, "kind": "clip", "image_size": 336}
    with pytest.raises(BadWeights, match=r"\[96, 32\].*no multiple of the 64"):
        find_tower(wide_clip(32), tower=None, beside=tmp_path / "none", named=None)
    cut = {key: one for key, one in wide_clip(128).items() if "position" not in key}
    with pytest.raises(BadWeights, match=r"has no embeddings.position_embedding.weight"):
        find_tower(cut, tower=None, beside=tmp_path / "none", named=None)

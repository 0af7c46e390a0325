"""Ferret-UI's checkpoints as published, and Ferret-v2's in the same manner, to our folder and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from deixis.checkpoints.convert.renaming import dinov2_attention, with_parts
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.systems.ferret_v2.answering import open_ferret_v2
from deixis.systems.ferret_v2.weights import (
    convert_back,
    convert_ferret_ui,
    convert_ferret_ui_back,
    convert_folder,
)
from tests.checkpoints.tiny_checkpoints import (
    CLIP,
    clip_folder,
    edit_json,
    ferret_ui_folder,
    ferret_v2_folder,
)
from tests.systems.ferret.tiny import fresh_ferret_v2

KINDS = ("llama", "gemma")


@pytest.fixture
def tower(tmp_path: Path) -> Path:
    folder = tmp_path / "clip"
    folder.mkdir()
    clip_folder(folder, torch.Generator().manual_seed(9))
    return folder


def loaded(folder: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for path in folder.glob("*.safetensors"):
        state |= load_file(path)
    return state


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return set(one) == set(other) and all(
        torch.equal(one[key], other[key]) and one[key].dtype == other[key].dtype for key in one
    )


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_ferret_ui_opens_in_our_network_and_goes_back(tmp_path: Path, tower: Path, kind: str) -> None:
    original, out, back = tmp_path / "original", tmp_path / "ours", tmp_path / "back"
    state = ferret_ui_folder(original, kind=kind)
    config = convert_ferret_ui(folder=original, out=out, tower=tower)
    network = open_ferret_v2(out).network
    ours = network.state_dict()
    assert torch.equal(ours["projector.2.bias"], state["model.mm_projector.2.bias"].float())
    stored = state["model.vision_tower.vision_tower.vision_model.pre_layrnorm.weight"]
    assert torch.equal(
        ours["tower.vision.pre_layrnorm.weight"], stored.float()
    )  # not that of the given folder
    assert config.language["num_attention_heads"] == 4 and config.language["num_key_value_heads"] == 2
    assert (
        config.grids == [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]] and config.crop == config.global_side == 56
    )
    assert (config.merge, config.resolution, config.max_tokens) == ("spatial", "any_res", 4096)
    assert (config.region_feature_source, config.point_order) == ("encoder", "transposed")
    assert config.local_tower is None and not config.separate_projectors and config.codec == "tokenizer"
    assert config.template == {"llama": "ferret_llama_3", "gemma": "ferret_gemma_instruct"}[kind]
    assert config.region_token_id == len(state["model.embed_tokens.weight"]) - 1
    tied = kind == "gemma"
    assert ("language.lm_head.weight" in loaded(out)) is not tied
    assert torch.equal(ours["language.lm_head.weight"], state["lm_head.weight"].float())
    convert_ferret_ui_back(folder=out, out=back)
    assert same(loaded(back), state)
    assert read(back / "config.json").items() >= read(original / "config.json").items()
    convert_ferret_ui(folder=back, out=tmp_path / "again", tower=tower)
    assert same(loaded(tmp_path / "again"), loaded(out))


def test_a_head_that_is_not_stored_again(tmp_path: Path, tower: Path) -> None:
    state = ferret_ui_folder(tmp_path / "original", kind="gemma")
    for path in (tmp_path / "original").glob("model*"):
        path.unlink()
    save_file(
        {key: one for key, one in state.items() if key != "lm_head.weight"},
        tmp_path / "original" / "model.safetensors",
    )
    convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    open_ferret_v2(tmp_path / "ours")
    convert_ferret_ui_back(folder=tmp_path / "ours", out=tmp_path / "back")
    assert same(loaded(tmp_path / "back"), state)


def test_a_head_that_differs_though_it_is_tied(tmp_path: Path, tower: Path) -> None:
    state = ferret_ui_folder(tmp_path / "original", kind="gemma")
    for path in (tmp_path / "original").glob("model*"):
        path.unlink()
    state["lm_head.weight"][2, 3] += 1
    save_file(state, tmp_path / "original" / "model.safetensors")
    with pytest.raises(BadWeights, match=r"lm_head.weight .* differs from model.embed_tokens.weight"):
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    edit_json(tmp_path / "original" / "config.json", tie_word_embeddings=False)
    convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    head = open_ferret_v2(tmp_path / "ours").network.state_dict()["language.lm_head.weight"]
    assert torch.equal(head, state["lm_head.weight"].float())


def test_an_untied_head_must_be_there(tmp_path: Path, tower: Path) -> None:
    state = ferret_ui_folder(tmp_path / "original", kind="llama")
    for path in (tmp_path / "original").glob("model*"):
        path.unlink()
    save_file(
        {key: one for key, one in state.items() if key != "lm_head.weight"},
        tmp_path / "original" / "model.safetensors",
    )
    with pytest.raises(
        BadWeights, match=r"lm_head.weight is missing; expected \[.*wrong about tie_word_embeddings"
    ):
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)


@pytest.mark.parametrize("named", ["/somebody/elses/disk/clip", "openai/clip-vit-large-patch14-336", None])
def test_a_tower_that_is_not_stored(tmp_path: Path, tower: Path, named: str | None) -> None:
    ferret_ui_folder(tmp_path / "original", kind="llama", tower=False, mm_vision_tower=named)
    with pytest.raises(MissingWeights, match=r"which is not looked up.*--vision-encoder"):
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours")
    convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    given = load_tower(tower)["vision_model.pre_layrnorm.weight"]
    assert torch.equal(loaded(tmp_path / "ours")["tower.vision.pre_layrnorm.weight"], given)


def load_tower(folder: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(folder / "pytorch_model.bin", weights_only=True)
    return state


def test_rows_with_newlines(tmp_path: Path, tower: Path) -> None:
    state = ferret_ui_folder(tmp_path / "original", kind="llama", mm_patch_merge_type="spatial_unpad")
    with pytest.raises(BadWeights, match=r"model.image_newline is missing"):
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    for path in (tmp_path / "original").glob("model*"):
        path.unlink()
    state["model.image_newline"] = torch.ones(48).bfloat16()
    save_file(state, tmp_path / "original" / "model.safetensors")
    convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    assert open_ferret_v2(tmp_path / "ours").network.newline.sum() == 48
    convert_ferret_ui_back(folder=tmp_path / "ours", out=tmp_path / "back")
    assert same(loaded(tmp_path / "back"), state)


def test_one_resolution_and_grids_as_text(tmp_path: Path, tower: Path) -> None:
    ferret_ui_folder(tmp_path / "text", kind="llama", image_grid_pinpoints="[[56, 112], [112, 56]]")
    config = convert_ferret_ui(folder=tmp_path / "text", out=tmp_path / "ours", tower=tower)
    assert config.grids == [[1, 2], [2, 1]]
    ferret_ui_folder(
        tmp_path / "fixed", kind="llama", image_aspect_ratio="square_nocrop", image_grid_pinpoints=None
    )
    assert (
        convert_ferret_ui(folder=tmp_path / "fixed", out=tmp_path / "other", tower=tower).resolution
        == "fixed"
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"image_grid_pinpoints": None}, "image_grid_pinpoints is None"),
        ({"image_grid_pinpoints": "__import__('os').system('x')"}, "image_grid_pinpoints is"),
        ({"image_grid_pinpoints": "[" * 9_000}, "image_grid_pinpoints is"),
        ({"image_grid_pinpoints": [[56, 100]]}, "not made of whole tiles of 56 x 56"),
        ({"image_grid_pinpoints": [56, 112]}, "image_grid_pinpoints is"),
        ({"model_type": "ferret"}, "use `deixis convert ferret`"),
        ({"model_type": "ferret_phi3"}, "expected ferret_llama or ferret_gemma"),
        ({"mm_vision_select_feature": "cls_patch"}, "expected 'patch'"),
        ({"im_region_fea_token": 999_999}, "im_region_fea_token is 999999, but the embedding has"),
        ({"num_attention_head": 3}, r"\[48, 48\] and \[24, 48\]"),
        ({"mm_projector_type": "linear"}, "the projector is of another kind"),
    ],
)
def test_configurations_that_do_not_fit(
    tmp_path: Path, tower: Path, changes: dict[str, Any], word: str
) -> None:
    ferret_ui_folder(tmp_path / "original", kind="llama", **changes)
    with pytest.raises(BadWeights, match=word) as caught:
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    assert caught.value.exit_code == 4 and not (tmp_path / "ours").exists()


def test_ferret_v2_opens_in_our_network_and_goes_back(tmp_path: Path) -> None:
    original, out, back = tmp_path / "original", tmp_path / "ours", tmp_path / "back"
    state = ferret_v2_folder(original)
    config = convert_folder(folder=original, out=out)
    ours = open_ferret_v2(out).network.state_dict()
    query = "encoder.layer.1.attention.attention.query.weight"
    stored = state[f"model.vision_tower_local.vision_tower.{query}"]
    own = with_parts(f"local_tower.vision.{query}", dinov2_attention())
    assert torch.equal(ours[own], stored)
    assert torch.equal(ours["local_projector.0.bias"], state["model.mm_projector_local.0.bias"])
    assert config.tower == {"kind": "clip", **CLIP} and config.local_tower is not None
    assert config.local_tower["kind"] == "dinov2" and config.local_tower["mlp_ratio"] == 2
    assert (config.point_order, config.region_feature_source, config.global_upsample) == (
        "xy",
        "projected",
        "bilinear",
    )
    assert (config.crop, config.global_side, config.grids) == (56, 56, [[1, 1], [1, 2], [2, 1]])
    assert (config.template, config.codec) == ("ferret_vicuna_v1", "sentencepieces")
    assert config.sampler is not None and config.sampler["pooling"] == "mean"
    convert_back(folder=out, out=back)
    assert same(loaded(back), state)
    assert read(back / "config.json").items() >= read(original / "config.json").items()
    again = convert_folder(folder=back, out=tmp_path / "again")
    assert again.to_dict() == config.to_dict()


def test_ferret_v2_back_without_the_original_config(tmp_path: Path) -> None:
    ferret_v2_folder(tmp_path / "original")
    config = convert_folder(folder=tmp_path / "original", out=tmp_path / "ours")
    (tmp_path / "ours" / "original_config.json").unlink()
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    assert convert_folder(folder=tmp_path / "back", out=tmp_path / "again").to_dict() == config.to_dict()


def test_ferret_v2_with_towers_beside_it(tmp_path: Path, tower: Path) -> None:
    state = ferret_v2_folder(tmp_path / "original")
    local = {
        key.split("vision_tower_local.vision_tower.")[1]: one
        for key, one in state.items()
        if "_local.vision" in key
    }
    kept = {key: one for key, one in state.items() if "vision_tower" not in key}
    save_file(kept, tmp_path / "original" / "model.safetensors")
    with pytest.raises(MissingWeights, match="--vision-encoder"):
        convert_folder(folder=tmp_path / "original", out=tmp_path / "ours")
    with pytest.raises(MissingWeights, match=r"facebook/dinov2-large.*--local-vision-encoder"):
        convert_folder(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    (tmp_path / "dinov2").mkdir()
    save_file(local, tmp_path / "dinov2" / "model.safetensors")
    fields = read(tmp_path / "original" / "config.json")["local_vision"]
    (tmp_path / "dinov2" / "config.json").write_text(
        json.dumps({**fields, "model_type": "dinov2"}), encoding="utf-8"
    )
    config = convert_folder(
        folder=tmp_path / "original", out=tmp_path / "ours", tower=tower, local_tower=tmp_path / "dinov2"
    )
    assert config.local_tower is not None and config.local_tower["mlp_ratio"] == 2
    open_ferret_v2(tmp_path / "ours")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model_type": "ferret"}, "expected 'deixis_ferret_v2' with global_vision"),
        ({"global_vision": {"type": "siglip"}}, "expected type clip or dinov2"),
        ({"global_vision": 3}, "expected type clip or dinov2"),
        ({"merge": "x", "mm_patch_merge_type": "diagonal"}, "merge is 'diagonal'"),
        ({"grids": "x"}, "config.json: "),
        ({"region_feature_source": "encoder"}, r"region_geo_sampler\S+ is \[.*makes it \[.*another width"),
    ],
)
def test_ferret_v2_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    ferret_v2_folder(tmp_path / "original")
    edit_json(tmp_path / "original" / "config.json", **changes)
    with pytest.raises(BadWeights, match=word):
        convert_folder(folder=tmp_path / "original", out=tmp_path / "ours")


def test_ferret_v2_is_not_written_as_ferret_ui(tmp_path: Path) -> None:
    ferret_v2_folder(tmp_path / "original")
    convert_folder(folder=tmp_path / "original", out=tmp_path / "ours")
    with pytest.raises(UsageError, match=r"local_tower of this network.*write it as ferret-v2"):
        convert_ferret_ui_back(folder=tmp_path / "ours", out=tmp_path / "back")
    with pytest.raises(BadWeights, match="as deixis writes it"):
        convert_back(folder=tmp_path / "original", out=tmp_path / "back")


def test_ferret_ui_written_as_ferret_v2(tmp_path: Path, tower: Path) -> None:
    ferret_ui_folder(tmp_path / "original", kind="llama")
    config = convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "ours", tower=tower)
    convert_back(folder=tmp_path / "ours", out=tmp_path / "v2")
    again = convert_folder(folder=tmp_path / "v2", out=tmp_path / "again")
    changed = {"max_text", "dtype"}
    one, other = ({k: v for k, v in c.to_dict().items() if k not in changed} for c in (config, again))
    assert one == other
    assert same(loaded(tmp_path / "again"), loaded(tmp_path / "ours"))


@pytest.mark.parametrize("convert", [convert_back, convert_ferret_ui_back])
def test_small_towers_have_no_original_format(tmp_path: Path, convert: Callable[..., None]) -> None:
    local = {"local_tower": None, "separate_projectors": False, "region_feature_source": "encoder"}
    published = {"point_order": "transposed", "sampler": None, "region_adapter": True}
    fresh_ferret_v2(**local, **published).save(tmp_path / "small")
    with pytest.raises(BadWeights, match=r"tower is 'efficientnet_tiny', which has no original format"):
        convert(folder=tmp_path / "small", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["", "{}", "[" * 100_000, '{"model": {"type": "none"}}'])
def test_a_tokenizer_that_nobody_can_open(tmp_path: Path, content: str, tower: Path) -> None:
    ferret_ui_folder(tmp_path / "original", kind="llama")
    (tmp_path / "original" / "tokenizer.json").write_text(content)
    with pytest.raises(BadWeights, match=r"tokenizer"):
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "out", tower=tower)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("mm_projector_type", 3), ("mm_patch_merge_type", "diagonal"), ("mm_patch_merge_type", {"a": 1})),
        *(("image_grid_pinpoints", "[" * 9000), ("image_grid_pinpoints", [["a", "b"]])),
        *(("image_grid_pinpoints", [[56 * 1000, 56 * 1000]]), ("image_grid_pinpoints", 3)),
        *(("tokenizer_model_max_length", "long"), ("tokenizer_model_max_length", -5)),
        *(("region_geo_sampler", "no"), ("template", 3), ("template", "no such")),
    ],
)
def test_settings_of_ferret_ui_of_wrong_types(tmp_path: Path, tower: Path, name: str, value: object) -> None:
    ferret_ui_folder(tmp_path / "original", kind="gemma")
    edit_json(tmp_path / "original" / "config.json", **{name: value})
    with pytest.raises(BadWeights):
        convert_ferret_ui(folder=tmp_path / "original", out=tmp_path / "out", tower=tower)
    assert not (tmp_path / "out").exists()

"""Ferret's checkpoints in the original format, to our folder and back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from deixis.checkpoints.convert.corrections import FILE
from deixis.errors import BadWeights, DeixisError, MissingWeights, UsageError
from deixis.systems.ferret.answering import open_ferret
from deixis.systems.ferret.weights import convert_back, convert_delta, convert_folder, make_delta_folder
from tests.checkpoints.tiny_checkpoints import CLIP, Folders, edit_json, ferret_folders
from tests.systems.ferret.tiny import fresh_ferret

EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return ferret_folders(tmp_path / "original")


def pickled(folder: Path) -> dict[str, Tensor]:
    """Return all tensors of a folder's pickles, without our reader."""
    state: dict[str, Tensor] = {}
    for path in folder.glob("*.bin"):
        state |= torch.load(path, weights_only=True)
    return {key: tensor for key, tensor in state.items() if "inv_freq" not in key}


def summed(folders: Folders) -> dict[str, Tensor]:
    """Return base and delta added, without our code."""
    base, whole = pickled(folders.base), pickled(folders.delta)
    for key, tensor in base.items():
        whole[key][: len(tensor)] += tensor
    return whole


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return set(one) == set(other) and all(
        torch.equal(one[key], other[key]) and one[key].dtype == other[key].dtype for key in one
    )


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_delta_opens_in_our_network_and_goes_back(folders: Folders, tmp_path: Path) -> None:
    out, back = tmp_path / "ours", tmp_path / "back"
    config = convert_delta(base=folders.base, delta=folders.delta, out=out, tower=folders.tower)
    whole = summed(folders)
    network = open_ferret(out).network  # every tensor has to be there, and none left over
    state = network.state_dict()
    assert torch.equal(state["language.model.embed_tokens.weight"], whole[EMBEDDING].float())
    assert torch.equal(
        state["sampler.flatten_projector.bias"],
        whole["model.region_geo_sampler.flatten_projector.bias"].float(),
    )
    clip = pickled(folders.tower)["vision_model.encoder.layers.1.self_attn.q_proj.weight"]
    assert torch.equal(state["tower.vision.encoder.layers.1.self_attn.q_proj.weight"], clip)
    assert config.region_token_id == folders.pieces and config.point_order == "transposed"
    assert (config.template, config.projector, config.side) == ("ferret_v1", "linear", 56)
    assert network.config.language["vocab_size"] == folders.pieces + 1
    assert {path.name for path in out.iterdir()} == {
        *(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "original_config.json",
            "tokenizer.model",
        )
    }
    assert read(out / "generation_config.json") == {
        "do_sample": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    convert_back(folder=out, out=back)
    assert same(load_file(back / "model.safetensors"), whole)
    assert read(back / "config.json").items() >= read(folders.delta / "config.json").items()
    assert read(back / "vision_tower" / "config.json").items() >= CLIP.items()
    again = convert_folder(folder=back, out=tmp_path / "again")  # the tower is found beside it
    assert same(load_file(tmp_path / "again" / "model.safetensors"), load_file(out / "model.safetensors"))
    assert again.to_dict() == config.to_dict()


def test_back_without_the_original_config(folders: Folders, tmp_path: Path) -> None:
    convert_folder(folder=folders.target, out=tmp_path / "ours", tower=folders.tower)
    (tmp_path / "ours" / "original_config.json").unlink()
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    written, original = read(tmp_path / "back" / "config.json"), read(folders.target / "config.json")
    assert written.pop("mm_vision_tower") == "vision_tower"
    assert {name: written[name] for name in original if name != "mm_vision_tower"}.items() <= original.items()
    assert same(
        load_file(tmp_path / "back" / "model.safetensors"), load_file(folders.target / "model.safetensors")
    )


@pytest.mark.parametrize("converted", [False, True])
def test_a_made_delta_gives_its_target_bit_for_bit(folders: Folders, tmp_path: Path, converted: bool) -> None:
    target = folders.target
    if converted:
        target = tmp_path / "ours"
        convert_folder(folder=folders.target, out=target, tower=folders.tower)
    missed = make_delta_folder(base=folders.base, target=target, out=tmp_path / "delta")
    assert missed > 0 and (tmp_path / "delta" / FILE).is_file()
    assert read(tmp_path / "delta" / "config.json")["model_type"] == "ferret"
    convert_delta(base=folders.base, delta=tmp_path / "delta", out=tmp_path / "again", tower=folders.tower)
    convert_back(folder=tmp_path / "again", out=tmp_path / "back")
    assert same(
        load_file(tmp_path / "back" / "model.safetensors"), load_file(folders.target / "model.safetensors")
    )


def test_a_made_delta_without_its_corrections_is_close(folders: Folders, tmp_path: Path) -> None:
    make_delta_folder(base=folders.base, target=folders.target, out=tmp_path / "delta")
    (tmp_path / "delta" / FILE).unlink()
    convert_delta(base=folders.base, delta=tmp_path / "delta", out=tmp_path / "ours", tower=folders.tower)
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    got, target = (
        load_file(tmp_path / "back" / "model.safetensors"),
        load_file(folders.target / "model.safetensors"),
    )
    assert max(float((got[key].float() - target[key].float()).abs().max()) for key in target) < 1e-5


def test_a_tower_that_is_stored(folders: Folders, tmp_path: Path) -> None:
    state = load_file(folders.target / "model.safetensors")
    clip = {key: one + 1 for key, one in pickled(folders.tower).items() if key.startswith("vision_model.")}
    clip.pop("vision_model.embeddings.position_ids")
    stored = {f"model.vision_tower.vision_tower.{key}": one for key, one in clip.items()}
    save_file(state | stored, folders.target / "model.safetensors")
    convert_folder(folder=folders.target, out=tmp_path / "ours", tower=folders.tower)
    ours = load_file(tmp_path / "ours" / "model.safetensors")
    assert torch.equal(ours["tower.vision.pre_layrnorm.bias"], clip["vision_model.pre_layrnorm.bias"])


def test_the_variant_without_geometry(folders: Folders, tmp_path: Path) -> None:
    state = load_file(folders.target / "model.safetensors")
    state = {key: one for key, one in state.items() if "region_geo_sampler" not in key}
    state |= {"model.region_fea_adapter.weight": torch.ones(48, 32).half()}
    state |= {"model.region_fea_adapter.bias": torch.ones(48).half()}
    save_file(state, folders.target / "model.safetensors")
    config = folders.target / "config.json"
    edit_json(config, "region_geo_sampler", "sampler_pooler_mode", region_fea_adapter=True)
    convert_folder(folder=folders.target, out=tmp_path / "ours", tower=folders.tower)
    network = open_ferret(tmp_path / "ours").network
    assert network.sampler is None and network.region_adapter is not None
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    assert same(load_file(tmp_path / "back" / "model.safetensors"), state)


def test_a_missing_im_patch_flag_means_true(folders: Folders, tmp_path: Path) -> None:
    config = folders.target / "config.json"
    edit_json(config, "mm_use_im_patch_token", "im_region_fea_token")
    fails(folders, tmp_path, rf"has no mm_use_im_patch_token.* takes id {folders.pieces}\b")
    state = load_file(folders.target / "model.safetensors")
    for key in (EMBEDDING, "lm_head.weight"):
        state[key] = torch.cat([state[key], state[key][:1]])
    save_file(state, folders.target / "model.safetensors")
    edit_json(config, vocab_size=folders.pieces + 2)
    ours = convert_folder(folder=folders.target, out=tmp_path / "ours", tower=folders.tower)
    assert ours.region_token_id == folders.pieces + 1


def fails(folders: Folders, tmp_path: Path, word: str, kind: type[DeixisError] = BadWeights) -> None:
    """Expect that the target does not convert, and that nothing is left behind."""
    with pytest.raises(kind, match=word) as caught:
        convert_folder(folder=folders.target, out=tmp_path / "none", tower=folders.tower)
    assert caught.value.exit_code == 4
    assert {path.name for path in tmp_path.iterdir()} <= {"original", "ours", "back"}


def test_no_tower(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"holds no vision encoder.*--vision-encoder.*vision_tower$"):
        convert_delta(base=folders.base, delta=folders.delta, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model_type": "ferret_llama"}, "use `deixis convert ferret-ui`"),
        ({"model_type": "llama"}, "expected ferret or llava"),
        ({"vocab_size": 32000}, r"embed_tokens.weight is \[\d+, 48\].*vocab_size 32000"),
        ({"mm_hidden_size": 1024}, "mm_hidden_size is 1024, the vision encoder is 32 wide"),
        ({"mm_vision_select_feature": "cls_patch"}, "is 'cls_patch'; expected 'patch'"),
        ({"mm_vision_select_layer": "last"}, "'mm_vision_select_layer' is 'last'"),
        ({"intermediate_size": 90}, r"mlp\.\w+\.weight is \[.*config.json makes it \[.*7B and 13B"),
        ({"num_hidden_layers": 3}, r"model.layers.2.\S+ is missing; expected \["),
        ({"num_hidden_layers": 1}, r"there is no place for model.layers.1.\S+ \["),
        (
            {"mm_projector_type": "mlp2x_gelu"},
            r"model.mm_projector\S+ is missing.*the projector is of another kind",
        ),
        ({"region_geo_sampler": False}, "no place for model.region_geo_sampler"),
    ],
)
def test_configurations_that_do_not_fit(
    folders: Folders, tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    edit_json(folders.target / "config.json", **changes)
    fails(folders, tmp_path, word)


def test_no_configuration_and_a_broken_one(folders: Folders, tmp_path: Path) -> None:
    config = folders.target / "config.json"
    config.write_text("[1]", encoding="utf-8")
    fails(folders, tmp_path, "config.json: is a JSON list")
    config.unlink()
    fails(folders, tmp_path, "config.json is missing", MissingWeights)


def test_no_tokenizer(folders: Folders, tmp_path: Path) -> None:
    (folders.target / "tokenizer.model").unlink()
    fails(folders, tmp_path, "has no tokenizer", MissingWeights)


def test_the_tokenizer_of_the_base_serves(folders: Folders, tmp_path: Path) -> None:
    (folders.delta / "tokenizer.model").unlink()
    convert_delta(base=folders.base, delta=folders.delta, out=tmp_path / "ours", tower=folders.tower)
    assert (tmp_path / "ours" / "tokenizer.model").is_file()


def test_another_base(folders: Folders, tmp_path: Path) -> None:
    other = ferret_folders(tmp_path / "other", seed=5)
    arguments: dict[str, Any] = {"base": other.base, "delta": folders.delta, "tower": folders.tower}
    with pytest.raises(BadWeights, match=r"had to be rounded.*v1.5 in place of v1.3"):
        convert_delta(**arguments, out=tmp_path / "none")
    convert_delta(**arguments, out=tmp_path / "anyway", any_base=True)
    assert not (tmp_path / "none").exists() and (tmp_path / "anyway" / "config.json").is_file()


def test_a_base_of_another_size(folders: Folders, tmp_path: Path) -> None:
    state = pickled(folders.base)
    state["model.layers.1.mlp.up_proj.weight"] = torch.zeros(90, 50).half()
    shutil.rmtree(folders.base)
    folders.base.mkdir()
    torch.save(state, folders.base / "pytorch_model.bin")
    shutil.copyfile(folders.delta / "config.json", folders.base / "config.json")
    with pytest.raises(
        BadWeights, match=r"layers.1.mlp.up_proj.weight is \[90, 50\] in the base .* and \[96, 48\] in"
    ):
        convert_delta(base=folders.base, delta=folders.delta, out=tmp_path / "none", tower=folders.tower)


def test_a_base_with_a_token_added(folders: Folders, tmp_path: Path) -> None:
    state = pickled(folders.base)
    for key in (EMBEDDING, "lm_head.weight"):
        state[key] = torch.cat([state[key], state[key][:1]])
    for path in folders.base.glob("pytorch_model*"):
        path.unlink()
    torch.save(state, folders.base / "pytorch_model.bin")
    with pytest.raises(
        BadWeights, match=rf"has {folders.pieces + 1} rows .* id {folders.pieces} .*plain decoder"
    ):
        convert_delta(base=folders.base, delta=folders.delta, out=tmp_path / "none", tower=folders.tower)


def test_base_and_delta_exchanged(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="exchanged"):
        convert_delta(base=folders.delta, delta=folders.base, out=tmp_path / "none", tower=folders.tower)


def test_a_shard_of_the_delta_cut_short(folders: Folders, tmp_path: Path) -> None:
    path = sorted(folders.delta.glob("*.bin"))[1]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadWeights, match=rf"{path.name} .*cut short"):
        convert_delta(base=folders.base, delta=folders.delta, out=tmp_path / "none", tower=folders.tower)
    path.unlink()
    with pytest.raises(MissingWeights, match=rf"{path.name} is missing; the index names it"):
        convert_delta(base=folders.base, delta=folders.delta, out=tmp_path / "none", tower=folders.tower)


def test_whole_checkpoints_in_the_place_of_base_or_delta(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="times as large as the base's"):
        convert_delta(base=folders.base, delta=folders.target, out=tmp_path / "none", tower=folders.tower)
    with pytest.raises(BadWeights, match="expected a plain language model"):
        convert_delta(base=folders.target, delta=folders.delta, out=tmp_path / "none", tower=folders.tower)


def test_infinity_in_a_shard_is_not_written(folders: Folders, tmp_path: Path) -> None:
    state = load_file(folders.target / "model.safetensors")
    state["model.norm.weight"][3] = float("inf")
    save_file(state, folders.target / "model.safetensors")
    fails(folders, tmp_path, r"norm.weight \[48\] holds infinity or NaN")


def test_what_the_published_code_cannot_run_is_not_written_back(folders: Folders, tmp_path: Path) -> None:
    convert_folder(folder=folders.target, out=tmp_path / "ours", tower=folders.tower)
    for changes, word in (
        ({"point_order": "xy"}, "point_order of this network is 'xy'.*only 'transposed'"),
        ({"projector": "mlp2x_gelu"}, "projector of this network"),
        ({"sampler": {"points": 128}}, "sampler of this network"),
    ):
        shutil.copyfile(tmp_path / "ours" / "config.json", tmp_path / "kept")
        edit_json(tmp_path / "ours" / "config.json", **changes)
        with pytest.raises(UsageError, match=word):
            convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
        shutil.move(tmp_path / "kept", tmp_path / "ours" / "config.json")
    with pytest.raises(BadWeights, match="'model_type' is 'ferret'; expected one of deixis_ferret"):
        convert_back(folder=folders.target, out=tmp_path / "back")


def test_a_small_tower_has_no_original_format(folders: Folders, tmp_path: Path) -> None:
    fresh_ferret().save(tmp_path / "small")
    for convert in (
        lambda: convert_back(folder=tmp_path / "small", out=tmp_path / "out"),
        lambda: make_delta_folder(base=folders.base, target=tmp_path / "small", out=tmp_path / "out"),
    ):
        with pytest.raises(BadWeights, match="'efficientnet_tiny', which has no original format"):
            convert()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x0a" * 1000])
def test_a_tokenizer_that_nobody_can_open(folders: Folders, tmp_path: Path, content: bytes) -> None:
    (folders.target / "tokenizer.model").write_bytes(content)
    (folders.target / "config.json").write_text(
        json.dumps(read(folders.target / "config.json") | {"im_region_fea_token": folders.pieces})
    )
    fails_before_writing(folders, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("image_size", "large"), ("image_size", 320_000), ("patch_size", 0), ("patch_size", True)),
        *(("num_hidden_layers", 10**6), ("hidden_size", -1), ("layer_norm_eps", "small"), ("hidden_act", 3)),
        *(("hidden_act", "no such"), ("num_attention_heads", 5), ("intermediate_size", [64])),
    ],
)
def test_settings_of_a_tower_of_wrong_types(
    folders: Folders, tmp_path: Path, name: str, value: object
) -> None:
    path = folders.tower / "config.json"
    config = read(path)
    config.get("vision_config", config)[name] = value
    path.write_text(json.dumps(config))
    fails_before_writing(folders, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("mm_projector_type", 3), ("mm_projector_type", "no such"), ("sampler_pooler_mode", "sum")),
        *(("region_geo_sampler", "yes"), ("mm_vision_select_layer", 99), ("max_sequence_length", -1)),
        *(("max_sequence_length", 3.5), ("mm_use_im_patch_token", "no"), ("hidden_act", "no such")),
        *(("rms_norm_eps", "1e-5"), ("rope_theta", "x"), ("tie_word_embeddings", "no"), ("vocab_size", True)),
        *(("num_hidden_layers", 10**6), ("max_position_embeddings", 0), ("num_key_value_heads", "4")),
        *(("eos_token_id", "2"), ("bos_token_id", [[1]]), ("head_dim", 0.5), ("attention_bias", 3)),
    ],
)
def test_settings_of_a_checkpoint_of_wrong_types(
    folders: Folders, tmp_path: Path, name: str, value: object
) -> None:
    edit_json(folders.target / "config.json", **{name: value})
    fails_before_writing(folders, tmp_path)


def fails_before_writing(folders: Folders, tmp_path: Path) -> None:
    """A conversion of the whole checkpoint ends with exit code 4, and nothing is left."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DeixisError) as told:
        convert_folder(folder=folders.target, out=tmp_path / "out", tower=folders.tower)
    assert told.value.exit_code == 4, told.value
    assert sorted(tmp_path.iterdir()) == before

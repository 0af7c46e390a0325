"""The published folder format there and back, at tiny size; what is missing or wrong in it; real sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis.checkpoints.convert.florence_folder import DECODER_FILE
from deixis.checkpoints.convert.florence_keys import native, native_of, ours
from deixis.checkpoints.convert.florence_settings import florence_settings
from deixis.cli import main
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.layers.towers.florence_prompts import PUBLISHED, ROWS, prompt_ids
from deixis.systems import load
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.systems.florence_vl.keys import TOWER
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.florence_vl.weights import convert_back, convert_folder
from tests.systems.florence_vl.published_files import (
    Kind,
    native_florence,
    original_settings,
    original_weights,
    published_folder,
)
from tests.systems.florence_vl.tiny import SIDE, fresh_florence_vl
from tests.systems.pointer.tiny import noise_picture

TEMPLATES = {"llama3": "llama3", "phi3": "phi3", "vicuna": "vicuna_v1"}


@pytest.mark.parametrize("kind", ["llama3", "phi3", "vicuna"])
def test_there_and_back(tmp_path: Path, kind: Kind) -> None:
    weights = published_folder(tmp_path / "published", kind)
    config = convert_folder(folder=tmp_path / "published", out=tmp_path / "ours")
    assert (config.template, config.aspect, config.max_tokens) == (TEMPLATES[kind], "pad", 2048)
    answer = load(tmp_path / "ours", device="cpu").ask(
        noise_picture(50, 30), "what is there?", max_new_tokens=3
    )
    assert answer.system == "florence_vl"
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    again = load_file(tmp_path / "back" / "model.safetensors")
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[key], weights[key]) for key in weights)
    first, last = (json.loads((tmp_path / one / "config.json").read_text()) for one in ("published", "back"))
    assert all(last[name] == value for name, value in first.items())


def test_features_are_those_of_the_librarys_own_class(tmp_path: Path) -> None:
    published_folder(tmp_path / "published", "llama3")
    convert_folder(folder=tmp_path / "published", out=tmp_path / "ours")
    network = load(tmp_path / "ours", device="cpu").network
    model = native_florence()
    pixels = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        visual, *breadths = network.features(pixels)
        theirs = model.model.get_image_features(pixels).pooler_output
        torch.testing.assert_close(visual, theirs, rtol=1e-4, atol=1e-5)
        for ids, breadth in zip(prompt_ids(PUBLISHED), breadths, strict=True):
            words = model.get_input_embeddings()(torch.tensor([ids])).expand(2, -1, -1)
            states = model.get_encoder()(inputs_embeds=torch.cat([theirs, words], dim=1)).last_hidden_state
            torch.testing.assert_close(breadth, states[:, : theirs.shape[1]], rtol=1e-4, atol=1e-5)


def test_the_command_goes_both_ways(tmp_path: Path) -> None:
    published_folder(tmp_path / "published", "phi3")
    for folder, out, more in (("published", "ours", []), ("ours", "back", ["--back"])):
        arguments = [
            "convert",
            "florence-vl",
            "--folder",
            str(tmp_path / folder),
            "--out",
            str(tmp_path / out),
        ]
        assert main([*arguments, *more]) == 0
    assert (tmp_path / "back" / "model.safetensors").is_file()


def test_the_folders_name_decides_nothing(tmp_path: Path) -> None:
    published_folder(tmp_path / "neither-of-the-two-words", "phi3")
    config = convert_folder(folder=tmp_path / "neither-of-the-two-words", out=tmp_path / "ours")
    assert config.language["model_type"] == "phi3"


@pytest.mark.parametrize("named", ["beside", "given"])
def test_a_vision_encoder_outside_the_checkpoint(tmp_path: Path, named: str) -> None:
    """As after the first stage: Florence-2 in a folder of its own, by original names, its sizes with it."""
    folder = tmp_path / "published"
    weights = published_folder(folder, "llama3", settings_of_tower=False)
    own = {key: one.clone() for key, one in weights.items() if not key.startswith(TOWER)}
    save_file(own, folder / "model.safetensors")
    with pytest.raises(MissingWeights, match=r"florence-vision-tower.*not looked up.*--vision-encoder"):
        convert_folder(folder=folder, out=tmp_path / "ours")
    tower = folder / "vision_tower" if named == "beside" else tmp_path / "florence-2"
    tower.mkdir()
    (tower / "config.json").write_text(json.dumps(original_settings()))
    (tower / "preprocessor_config.json").write_text(json.dumps({"size": {"height": SIDE, "width": SIDE}}))
    found = {key: one.clone().contiguous() for key, one in original_weights(native_florence()).items()}
    torch.save(found, tower / "pytorch_model.bin")
    convert_folder(folder=folder, out=tmp_path / "ours", tower=None if named == "beside" else tower)
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    again = load_file(tmp_path / "back" / "model.safetensors")
    assert all(torch.equal(again[key], weights[key]) for key in weights)


def test_without_the_decoder_there_is_no_way_back(tmp_path: Path) -> None:
    published_folder(tmp_path / "published", "llama3")
    convert_folder(folder=tmp_path / "published", out=tmp_path / "ours")
    (tmp_path / "ours" / DECODER_FILE).unlink()
    load(tmp_path / "ours", device="cpu")  # no answer needs it
    with pytest.raises(MissingWeights, match=r"decoder.*copy it from"):
        convert_back(folder=tmp_path / "ours", out=tmp_path / "back")


def test_what_the_authors_format_cannot_hold(tmp_path: Path) -> None:
    fresh_florence_vl(integration="token").save(tmp_path / "ours")
    with pytest.raises(UsageError, match="integration is 'token'"):
        convert_back(folder=tmp_path / "ours", out=tmp_path / "back")


def test_a_folder_of_another_kind(tmp_path: Path) -> None:
    published_folder(tmp_path / "published", "llama3")
    config = json.loads((tmp_path / "published" / "config.json").read_text())
    (tmp_path / "published" / "config.json").write_text(json.dumps({**config, "model_type": "llava"}))
    with pytest.raises(BadWeights, match="llava_llama or llava_phi"):
        convert_folder(folder=tmp_path / "published", out=tmp_path / "ours")


def test_weights_that_a_checkpoint_lacks(tmp_path: Path) -> None:
    weights = published_folder(tmp_path / "published", "llama3")
    lost = f"{TOWER}vision_tower.blocks.2.1.channel_block.ffn.fn.net.fc1.weight"
    kept = {key: one.clone().contiguous() for key, one in weights.items() if key != lost}
    save_file(kept, tmp_path / "published" / "model.safetensors")
    with pytest.raises(BadWeights, match="is missing"):
        convert_folder(folder=tmp_path / "published", out=tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize(
    ("part", "name", "value", "match"),
    [
        ("vision_config", "patch_prenorm", [True, True, True, True], "patch_prenorm"),
        ("vision_config", "image_feature_source", ["last_frame"], "image_feature_source"),
        ("vision_config", "num_heads", [3, 2, 2, 4], "divisor"),
        ("vision_config", "dim_embed", "wide", "expected a list"),
        ("text_config", "normalize_before", True, "normalize_before"),
        ("text_config", "d_model", None, "missing"),
        ("text_config", "encoder_layers", 10**9, "encoder_layers"),
    ],
)
def test_settings_that_would_mean_another_network(part: str, name: str, value: object, match: str) -> None:
    config = original_settings()
    config[part] = {**config[part], name: value}
    with pytest.raises(BadWeights, match=match):
        florence_settings(config, where="config.json")


def test_the_real_sizes_have_every_weight_of_what_sees() -> None:
    """Built without numbers; the published 8B has 8,030,269,440 + 50,343,936 weights besides Florence-2's."""
    with torch.device("meta"):
        network = FlorenceVlNetwork(FlorenceVlConfig())
    shapes = {key: tuple(one.shape) for key, one in network.state_dict().items()}
    counts = {
        name: sum(weight.numel() for weight in part.parameters()) for name, part in network.named_children()
    }
    assert counts["language"] == 8_030_269_440 and counts["projector"] == 50_343_936
    for key in (key for key in shapes if key.startswith("tower.")):
        assert ours(native_of("tower", key.removeprefix("tower.vision."))) is not None
    assert shapes["encoder.bart.embed_tokens.weight"] == (len(ROWS), 1024)
    assert network.least_tokens() == 577


def test_names_that_no_florence_has() -> None:
    for name in (
        "vision_tower.blocks.0.0.spatial_block.other",
        "encoder.layers.0",
        "vision_tower.head.weight",
    ):
        with pytest.raises(BadWeights, match="no key of Florence-2"):
            native(name)

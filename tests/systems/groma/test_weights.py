"""Groma's published checkpoints there and back, on tiny ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from deixis.errors import BadWeights, UsageError
from deixis.systems import load
from deixis.systems.groma.config import GromaConfig
from deixis.systems.groma.conversion.keys import GROMA, PERCEIVER, longer
from deixis.systems.groma.conversion.weights import convert_back, convert_folder
from deixis.systems.groma.detector.answering import GromaProposerSystem
from deixis.systems.groma.dialect import GromaTokens, groma_codec
from deixis.systems.groma.model import GromaNetwork
from tests.systems.groma.tiny import LANGUAGE
from tests.systems.pointer.tiny import noise_picture
from tests.text.tokenizers.made_codecs import piece_codec

DINOV2 = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "mlp_ratio": 2}
DINOV2 |= {"image_size": 518, "patch_size": 14}
DETECTOR = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2}
DETECTOR |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "num_queries": 9}
DETECTOR |= {
    "two_stage_num_proposals": 9,
    "num_feature_levels": 1,
    "two_stage": True,
    "with_box_refine": True,
}


def published_config(vocabulary: int, *, nms: float = 0.6) -> dict[str, Any]:
    """Return a configuration as the authors' program writes it: what is as in old defaults is left out."""
    language = {name: value for name, value in LANGUAGE.items() if name != "initializer_range"}
    return {
        "model_type": "groma",
        "llm_cfg": {**language, "vocab_size": vocabulary},
        "perceiver_cfg": {
            "model_type": "ddetr",
            "vis_encoder_cfg": DINOV2,
            "ddetr_cfg": {**DETECTOR, "id2label": {"0": "LABEL_0"}},
            "vis_output_layer": -1,
        },
        "num_new_token": 114,
        "nms_thres": nms,
        "box_score_thres": 0.0,
        "max_region_num": 100,
        "vocab_size": vocabulary + 114,
    }


def checkpoint(folder: Path, *, names: str = "both", nms: float = 0.6) -> tuple[Path, GromaNetwork]:
    """Return a folder as published, and the network with its weights. names: which the heads have."""
    folder.mkdir()
    piece_codec(folder)
    codec = groma_codec(folder / "tokenizer.model", legacy=False)
    codec.save(folder)
    vocabulary = GromaTokens.of(codec).pad
    torch.manual_seed(0)
    network = GromaNetwork(
        GromaConfig(
            language={**LANGUAGE, "vocab_size": vocabulary},
            tower={"kind": "dinov2", **DINOV2},
            proposer={
                "width": 16,
                "encoder_layers": 1,
                "decoder_layers": 2,
                "encoder_heads": 2,
                "decoder_heads": 2,
                "encoder_feed_forward": 24,
                "decoder_feed_forward": 24,
                "queries": 9,
                "box_hidden": 12,
            },
            region_encoder={"rounds": 1, "roi_side": 3, "hidden": 10, "position_hidden": 6},
            box_score_thres=0.0,
        )
    ).eval()
    (folder / "config.json").write_text(json.dumps(published_config(vocabulary, nms=nms)))
    save_file(published_tensors(network.state_dict(), names=names), folder / "model.safetensors")
    return folder, network


def published_tensors(state: Mapping[str, Tensor], *, names: str) -> dict[str, Tensor]:
    tensors = {}
    for key, tensor in state.items():
        short = GROMA.to_original(key)
        long = longer(short)
        if long is None or names in ("shorter", "both"):
            tensors[short] = tensor.clone()
        if long is not None and names in ("longer", "both"):
            tensors[long] = tensor.clone()
    return tensors


@pytest.mark.parametrize("names", ["shorter", "longer", "both"])
def test_there_and_back(tmp_path: Path, names: str) -> None:
    folder, network = checkpoint(tmp_path / "published", names=names)
    config = convert_folder(folder=folder, out=tmp_path / "ours")
    assert isinstance(config, GromaConfig)
    assert config.proposer["box_hidden"] == 12 and config.region_encoder["roi_side"] == 3
    system = load(tmp_path / "ours", device="cpu")
    converted = system.network.state_dict()
    assert all(torch.equal(converted[key], tensor) for key, tensor in network.state_dict().items())
    answer = system.ask(noise_picture(60, 40), "what is {it}?", it=(5, 5, 30, 30), max_new_tokens=2)
    assert answer.raw is not None and len(answer.raw.ids) == 2
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    again = load_file(tmp_path / "back" / "model.safetensors")
    wanted = published_tensors(network.state_dict(), names="both")
    assert set(again) == set(wanted) and all(torch.equal(again[key], wanted[key]) for key in wanted)
    original, written = (json.loads((one / "config.json").read_text()) for one in (folder, tmp_path / "back"))
    assert {name: written[name] for name in original} == original


def test_names_of_one_tensor_that_differ_are_told(tmp_path: Path) -> None:
    folder, _ = checkpoint(tmp_path / "published")
    tensors = load_file(folder / "model.safetensors")
    tensors["perceiver.ddetr_transformer.decoder.class_embed_enc.bias"] += 1
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(BadWeights, match="one and the same tensor by design, but differ"):
        convert_folder(folder=folder, out=tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_the_first_hosted_threshold_is_refused(tmp_path: Path) -> None:
    folder, _ = checkpoint(tmp_path / "published", nms=0.0)
    with pytest.raises(BadWeights, match=r"nms_thres is 0\.0.*Write 0\.6"):
        convert_folder(folder=folder, out=tmp_path / "ours")


def test_other_checkpoints_are_told(tmp_path: Path) -> None:
    folder, _ = checkpoint(tmp_path / "published")
    fields = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**fields, "model_type": "llava"}))
    with pytest.raises(BadWeights, match="model_type is 'llava'; expected 'groma'"):
        convert_folder(folder=folder, out=tmp_path / "ours")


def test_the_proposer_alone_there_and_back(tmp_path: Path) -> None:
    whole, network = checkpoint(tmp_path / "whole")
    folder = tmp_path / "published"
    folder.mkdir()
    fields = json.loads((whole / "config.json").read_text())["perceiver_cfg"]
    (folder / "config.json").write_text(json.dumps(fields))
    perceiver = {key: one for key, one in network.state_dict().items() if key.startswith("perceiver.")}
    tensors = {PERCEIVER.to_original(key): one.clone() for key, one in perceiver.items()}
    save_file(tensors, folder / "model.safetensors")
    convert_folder(folder=folder, out=tmp_path / "ours")
    system = load(tmp_path / "ours", device="cpu")
    assert isinstance(system, GromaProposerSystem)
    assert all(torch.equal(system.network.state_dict()[key], one) for key, one in perceiver.items())
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    again = load_file(tmp_path / "back" / "model.safetensors")
    assert all(torch.equal(again[key], one) for key, one in tensors.items())
    assert set(again) - set(tensors) == {longer(key) for key in tensors} - {None}


def test_what_the_authors_code_fixes_is_told(tmp_path: Path) -> None:
    folder, _ = checkpoint(tmp_path / "published")
    convert_folder(folder=folder, out=tmp_path / "ours")
    file = tmp_path / "ours" / "config.json"
    fields = json.loads(file.read_text())
    file.write_text(
        json.dumps({**fields, "region_encoder": {**fields["region_encoder"], "box_format": "xyxy"}})
    )
    with pytest.raises(UsageError, match=r"region_encoder\.box_format is 'xyxy'"):
        convert_back(folder=tmp_path / "ours", out=tmp_path / "back")

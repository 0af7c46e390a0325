"""Published weights in both formats, there and back, at tiny size; the names of the real sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPVisionConfig, LlamaConfig, VipLlavaConfig, VipLlavaForConditionalGeneration

from deixis.cli import main
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.regions.shapes import Box
from deixis.systems import load
from deixis.systems.vip_llava.config import VipLlavaConfig as OurConfig
from deixis.systems.vip_llava.keys import LEVELS
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.systems.vip_llava.weights import convert_back, convert_back_to_transformers, convert_folder
from deixis.text.splicing import PICTURE_MARKER
from tests.checkpoints.tiny_checkpoints import write_bin
from tests.systems.pointer.tiny import noise_picture
from tests.systems.vip_llava.tiny import CLIP, fresh_vip_llava
from tests.text.tokenizers.made_codecs import piece_codec

SIDE, CELLS = 56, 16
VISION = {name: value for name, value in CLIP.items() if name != "kind"} | {"hidden_act": "quick_gelu"}


def transformers_model(rows: int) -> VipLlavaForConditionalGeneration:
    text = LlamaConfig(
        vocab_size=rows,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        rms_norm_eps=1e-5,
    )
    config = VipLlavaConfig(
        vision_config=CLIPVisionConfig(**VISION), text_config=text, image_token_index=rows - 2
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return VipLlavaForConditionalGeneration(config).eval()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a folder of a tiny model as transformers writes it."""
    folder = tmp_path / "published"
    folder.mkdir()
    rows = len(piece_codec(folder)) + 2
    model = transformers_model(rows)
    model.save_pretrained(folder)
    return folder


def logits_of(model: VipLlavaForConditionalGeneration, ids: list[int], pixels: Tensor) -> Tensor:
    """Return what transformers says, the marker written out as its picture tokens."""
    token = model.config.image_token_index
    expanded = [one for i in ids for one in ([token] * CELLS if i == PICTURE_MARKER else [i])]
    with torch.no_grad():
        return model(input_ids=torch.tensor([expanded]), pixel_values=pixels).logits


def test_a_folder_of_transformers_gives_the_same(published: Path, tmp_path: Path) -> None:
    convert_folder(folder=published, out=tmp_path / "ours")
    system = load(tmp_path / "ours", device="cpu", dtype="float32")
    theirs = VipLlavaForConditionalGeneration.from_pretrained(published, dtype=torch.float32).eval()
    ids = [1, 5, PICTURE_MARKER, 9, 11, 40]
    pixels = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = system.network(torch.tensor([ids]), pixel_values=pixels).logits
    torch.testing.assert_close(ours, logits_of(theirs, ids, pixels), rtol=1e-4, atol=1e-4)
    answer = system.ask(noise_picture(96, 64), "what is {it}?", it=Box(5, 5, 50, 50), max_new_tokens=3)
    assert answer.system == "vip_llava"


def test_the_published_file_that_names_one_level_has_five(published: Path, tmp_path: Path) -> None:
    config = json.loads((published / "config.json").read_text())
    for name in ("vision_feature_layers", "vision_feature_layer"):
        config.pop(name, None)
    config |= {"vision_feature_layer": -2, "projector_layernorm": False}
    (published / "config.json").write_text(json.dumps(config))
    made = convert_folder(folder=published, out=tmp_path / "ours")
    assert made.select_layers == [-2, -5, -8, -11, 6] and made.feature_norm and made.aspect == "pad"


def test_transformers_opens_what_goes_back(published: Path, tmp_path: Path) -> None:
    convert_folder(folder=published, out=tmp_path / "ours")
    convert_back_to_transformers(folder=tmp_path / "ours", out=tmp_path / "back")
    first, again = (
        VipLlavaForConditionalGeneration.from_pretrained(one, dtype=torch.float32).state_dict()
        for one in (published, tmp_path / "back")
    )
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize("pickled", [False, True])
def test_the_authors_format_there_and_back(published: Path, tmp_path: Path, pickled: bool) -> None:
    convert_folder(folder=published, out=tmp_path / "ours")
    convert_back(folder=tmp_path / "ours", out=tmp_path / "authors")
    original = load_file(tmp_path / "authors" / "model.safetensors")
    assert original["model.mm_projector.clip_layernorm.weight"].shape == (5 * 16,)
    assert "model.vision_tower.vision_tower.vision_model.pre_layrnorm.weight" in original
    config = json.loads((tmp_path / "authors" / "config.json").read_text())
    assert config["mm_hidden_size"] == 5 * 16 and config["image_aspect_ratio"] == "pad"
    if pickled:
        (tmp_path / "authors" / "model.safetensors").unlink()
        rotary = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}
        write_bin(tmp_path / "authors", original | rotary, shards=2)
    convert_folder(folder=tmp_path / "authors", out=tmp_path / "again")
    first, again = (load_file(tmp_path / name / "model.safetensors") for name in ("ours", "again"))
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_a_tower_may_lie_beside(published: Path, tmp_path: Path) -> None:
    convert_folder(folder=published, out=tmp_path / "ours")
    convert_back(folder=tmp_path / "ours", out=tmp_path / "authors")
    file = tmp_path / "authors" / "model.safetensors"
    tensors = load_file(file)
    file.unlink()
    start = "model.vision_tower.vision_tower."
    write_bin(tmp_path / "authors", {key: one for key, one in tensors.items() if not key.startswith(start)})
    with pytest.raises(
        MissingWeights, match="clip-vit-large-patch14-336 and give its folder with --vision-encoder"
    ):
        convert_folder(folder=tmp_path / "authors", out=tmp_path / "again")


def test_a_network_trained_here_says_that_it_has_no_published_format(tmp_path: Path) -> None:
    small = fresh_vip_llava(
        tower={"kind": "efficientnet_tiny", "side": 64}, select_layers=None, side=64, feature_norm=True
    )
    small.save(tmp_path / "small")
    with pytest.raises(UsageError, match="published formats hold CLIP only"):
        convert_back(folder=tmp_path / "small", out=tmp_path / "back")


def test_commands(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, back = str(tmp_path / "ours"), str(tmp_path / "back")
    assert main(["convert", "vip-llava", "--folder", str(published), "--out", ours]) == 0
    assert main(["convert", "vip-llava", "--folder", ours, "--back", "--out", back]) == 0
    hf = str(tmp_path / "hf")
    assert main(["convert", "vip-llava", "--folder", ours, "--transformers", "--out", hf]) == 0
    assert main(["convert", "vip-llava", "--folder", str(tmp_path), "--out", str(tmp_path / "x")]) == 4
    assert "config.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "ferret"}, "model_type is 'ferret'; expected llava"),
        ({"image_aspect_ratio": "anyres"}, "image_aspect_ratio is 'anyres'"),
    ],
)
def test_other_checkpoints_are_refused(
    published: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    convert_folder(folder=published, out=tmp_path / "ours")
    convert_back(folder=tmp_path / "ours", out=tmp_path / "authors")
    file = tmp_path / "authors" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(BadWeights, match=message):
        convert_folder(folder=tmp_path / "authors", out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


REAL_DECODERS: dict[str, dict[str, Any]] = {
    "7B": {"width": 4096, "inside": 11008, "layers": 32, "groups": 32, "heads": 32, "words": 32000},
    "13B": {"width": 5120, "inside": 13824, "layers": 40, "groups": 40, "heads": 40, "words": 32000},
    "Llama-3": {"width": 4096, "inside": 14336, "layers": 32, "groups": 8, "heads": 32, "words": 128256},
    "Phi-3": {"width": 3072, "inside": 8192, "layers": 32, "groups": 32, "heads": 32, "words": 32064},
}


@pytest.mark.parametrize("name", REAL_DECODERS)
def test_names_and_shapes_of_the_real_sizes(name: str) -> None:
    sizes = REAL_DECODERS[name]
    kind = "phi3" if name == "Phi-3" else "llama"
    language = {
        "model_type": kind,
        "vocab_size": sizes["words"],
        "hidden_size": sizes["width"],
        "intermediate_size": sizes["inside"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "num_key_value_heads": sizes["groups"],
        "tie_word_embeddings": False,
        **({"pad_token_id": 0} if kind == "phi3" else {}),
    }
    with torch.device("meta"):
        network = VipLlavaNetwork(OurConfig(language=language))
    ours = {LEVELS.to_original(key): list(one.shape) for key, one in network.state_dict().items()}
    expected = decoder_shapes(kind, sizes) | projector_shapes(sizes["width"]) | tower_shapes()
    assert ours == expected


def decoder_shapes(kind: str, sizes: dict[str, Any]) -> dict[str, list[int]]:
    """Return the table of vip_llava.md section 11 for a decoder."""
    width, inside, words = sizes["width"], sizes["inside"], sizes["words"]
    keys = width * sizes["groups"] // sizes["heads"]
    shapes = {"model.embed_tokens.weight": [words, width], "lm_head.weight": [words, width]}
    shapes["model.norm.weight"] = [width]
    for layer in range(sizes["layers"]):
        start = f"model.layers.{layer}."
        norms = ("input_layernorm", "post_attention_layernorm")
        shapes |= {f"{start}{norm}.weight": [width] for norm in norms}
        shapes[f"{start}self_attn.o_proj.weight"] = [width, width]
        shapes[f"{start}mlp.down_proj.weight"] = [width, inside]
        if kind == "phi3":
            shapes[f"{start}self_attn.qkv_proj.weight"] = [width + 2 * keys, width]
            shapes[f"{start}mlp.gate_up_proj.weight"] = [2 * inside, width]
            continue
        shapes[f"{start}self_attn.q_proj.weight"] = [width, width]
        shapes |= {f"{start}self_attn.{one}_proj.weight": [keys, width] for one in "kv"}
        shapes |= {f"{start}mlp.{one}_proj.weight": [inside, width] for one in ("gate", "up")}
    return shapes


def projector_shapes(width: int) -> dict[str, list[int]]:
    start = "model.mm_projector."
    return {
        f"{start}clip_layernorm.weight": [5120],
        f"{start}clip_layernorm.bias": [5120],
        f"{start}final_linear.0.weight": [width, 5120],
        f"{start}final_linear.0.bias": [width],
        f"{start}final_linear.2.weight": [width, width],
        f"{start}final_linear.2.bias": [width],
    }


def tower_shapes() -> dict[str, list[int]]:
    start = "model.vision_tower.vision_tower.vision_model."
    shapes = {
        f"{start}embeddings.class_embedding": [1024],
        f"{start}embeddings.patch_embedding.weight": [1024, 3, 14, 14],
        f"{start}embeddings.position_embedding.weight": [577, 1024],
    }
    for norm in ("pre_layrnorm", "post_layernorm"):
        shapes |= {f"{start}{norm}.{part}": [1024] for part in ("weight", "bias")}
    for layer in range(24):
        own = f"{start}encoder.layers.{layer}."
        for norm in ("layer_norm1", "layer_norm2"):
            shapes |= {f"{own}{norm}.{part}": [1024] for part in ("weight", "bias")}
        for one in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= {f"{own}self_attn.{one}.weight": [1024, 1024], f"{own}self_attn.{one}.bias": [1024]}
        shapes |= {f"{own}mlp.fc1.weight": [4096, 1024], f"{own}mlp.fc1.bias": [4096]}
        shapes |= {f"{own}mlp.fc2.weight": [1024, 4096], f"{own}mlp.fc2.bias": [1024]}
    return shapes

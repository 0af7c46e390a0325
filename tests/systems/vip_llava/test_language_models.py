"""Published checkpoints with each of the three language models: opened, asked, and written again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis.regions.shapes import Box
from deixis.systems import load
from deixis.systems.vip_llava.config import VipLlavaConfig
from deixis.systems.vip_llava.keys import LEVELS
from deixis.systems.vip_llava.model import VipLlavaNetwork
from deixis.systems.vip_llava.published import authors_config
from deixis.systems.vip_llava.weights import convert_back, convert_folder
from tests.systems.florence_vl.published_files import Kind, decoder_settings, write_tokenizer
from tests.systems.pointer.tiny import noise_picture
from tests.systems.vip_llava.tiny import CLIP

# Kind of decoder -> template, and what stands before an answer.
SPOKEN: dict[Kind, tuple[str, str]] = {
    "vicuna": ("llava_v1", "ASSISTANT:"),
    "llama3": ("llava_llama_3", "<|start_header_id|>assistant<|end_header_id|>"),
    "phi3": ("llava_phi_3", "<|assistant|>"),
}


def published(folder: Path, kind: Kind) -> Path:
    """Write a checkpoint of the authors' format at tiny size, with a decoder of that kind."""
    folder.mkdir()
    rows = write_tokenizer(kind, folder)
    model_type = "phi3" if kind == "phi3" else "llama"
    config = VipLlavaConfig(
        language={**decoder_settings(kind, rows), "model_type": model_type},
        tower=CLIP,
        side=56,
        codec="tokenizer" if kind == "llama3" else "sentencepieces",
        template=SPOKEN[kind][0],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = VipLlavaNetwork(config)
    tensors = {LEVELS.to_original(key): one.contiguous() for key, one in network.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(authors_config(config)))
    return folder


@pytest.mark.parametrize("kind", SPOKEN)
def test_a_published_checkpoint_answers_and_goes_back(kind: Kind, tmp_path: Path) -> None:
    source = published(tmp_path / "published", kind)
    config = convert_folder(folder=source, out=tmp_path / "ours")
    template, opening = SPOKEN[kind]
    assert config.template == template and config.select_layers == [-2, -5, -8, -11, 6]
    system = load(tmp_path / "ours", device="cpu")
    picture = noise_picture(80, 60)
    answer = system.ask(picture, "What is {it}?", regions={"it": Box(5, 5, 60, 50)}, max_new_tokens=3)
    assert answer.system == "vip_llava" and answer.raw is not None and answer.raw.ids
    (seen,) = system.seen(picture, "What is {it}?", it=Box(5, 5, 60, 50))
    assert (seen.pixels != picture.pixels).any()
    assert system.template.assistant.strip().endswith(opening) or opening in system.template.assistant
    convert_back(folder=tmp_path / "ours", out=tmp_path / "back")
    first, again = (load_file(one / "model.safetensors") for one in (source, tmp_path / "back"))
    assert first.keys() == again.keys()
    assert all(torch.equal(one, again[key]) for key, one in first.items())
    fields = json.loads((tmp_path / "back" / "config.json").read_text())
    assert fields["model_type"] == json.loads((source / "config.json").read_text())["model_type"]

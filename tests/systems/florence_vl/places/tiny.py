"""Florence-2's files at tiny size: a tokenizer of bytes, and a converted folder that can locate."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from transformers import Florence2ForConditionalGeneration

from deixis.checkpoints.convert.florence_folder import FlorenceFiles
from deixis.checkpoints.files.lazy import held
from deixis.layers.towers.florence_davit import LARGE_768, DavitTower
from deixis.layers.towers.florence_encoder import LARGE, PromptedEncoder
from deixis.layers.towers.florence_prompts import PUBLISHED, prompt_ids
from deixis.systems.florence_vl.places.decoder import FlorenceDecoder
from deixis.systems.florence_vl.places.tokens import ADDED, FlorenceTokens
from deixis.systems.florence_vl.weights import convert_folder
from tests.systems.florence_vl.published_files import (
    native_florence,
    original_settings,
    original_weights,
    published_folder,
)
from tests.systems.florence_vl.tiny import DAVIT, ENCODER

KNOWN = ("<s>", "<pad>", "</s>")


def byte_tokenizer(path: Path, *, added: bool = False) -> Path:
    """Write a tokenizer.json in BART's manner, over single bytes. added: Florence-2's tokens are in it."""
    alphabet = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()), start=3)}
    tokenizer = Tokenizer(BPE({text: number for number, text in enumerate(KNOWN)} | alphabet, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    more = (*ADDED, "<image>") if added else ()
    tokenizer.add_special_tokens([AddedToken(one, special=True, normalized=False) for one in (*KNOWN, *more)])
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(path))
    return path


def tiny_tokens(folder: Path) -> FlorenceTokens:
    """Return the tokens of such a file."""
    return FlorenceTokens(byte_tokenizer(folder / "tokenizer.json"))


def locating_folder(folder: Path) -> Path:
    """Return a converted folder of a published checkpoint, with all that places need."""
    published_folder(folder / "published", "llama3")
    tower = folder / "florence-2"
    tower.mkdir()
    (tower / "config.json").write_text(json.dumps(original_settings()))
    weights = original_weights(native_florence())
    save_file({key: one.clone().contiguous() for key, one in weights.items()}, tower / "model.safetensors")
    byte_tokenizer(tower / "tokenizer.json")
    convert_folder(folder=folder / "published", out=folder / "ours", tower=tower)
    return folder / "ours"


def lively_florence(seed: int = 0) -> Florence2ForConditionalGeneration:
    """Return the library's Florence-2 with weights of which it writes many different tokens."""
    model = native_florence(seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for name, weight in model.model.language_model.named_parameters():
            if name.endswith(("norm.weight", "layernorm_embedding.weight")):
                weight.fill_(1.0)
            elif weight.dim() == 2:
                torch.nn.init.normal_(weight, std=0.4)
    return model


def decoder_of(model: Florence2ForConditionalGeneration) -> FlorenceDecoder:
    """Return our decoder, tower and encoder with the weights of the library's Florence-2."""
    tensors = {key: held(one, where="memory") for key, one in original_weights(model).items()}
    files = FlorenceFiles({**LARGE_768, **DAVIT}, {**LARGE, **ENCODER}, tensors)
    tower = DavitTower({key: one for key, one in DAVIT.items() if key != "kind"})
    encoder = PromptedEncoder(ENCODER, inputs=16, prompts=prompt_ids(PUBLISHED))
    for name, part in (("tower", tower), ("encoder", encoder)):
        state = {key.removeprefix(f"{name}."): one.read() for key, one in files.under(name).items()}
        part.load_state_dict(state)
        part.eval()
    return FlorenceDecoder(tower, encoder, files.rest())

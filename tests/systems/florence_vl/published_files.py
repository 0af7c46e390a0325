"""Published folders at tiny size: Florence-2 of the library's class by its original names, and a decoder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import (
    BartConfig,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2VisionConfig,
    LlamaForCausalLM,
    Phi3ForCausalLM,
)

from deixis.checkpoints.convert.florence_keys import BIAS, TABLES, original
from deixis.checkpoints.convert.florence_settings import original_config
from deixis.layers.language.causal_decoders import decoder_config
from deixis.layers.projectors import build_projector
from deixis.layers.towers.florence_davit import LARGE_768
from deixis.layers.towers.florence_encoder import LARGE
from deixis.systems.florence_vl.keys import FLORENCE_VL, TOWER
from tests.systems.florence_vl.tiny import DAVIT, ENCODER
from tests.text.tokenizers.made_codecs import header_tokenizer, piece_codec

WORDS = 51289
TOY = Path(__file__).parents[2] / "parity" / "checks" / "toy_tokenizers"
Kind = Literal["llama3", "phi3", "vicuna"]


def native_florence(seed: int = 0) -> Florence2ForConditionalGeneration:
    """Return the library's Florence-2 at tiny size."""
    tower = {key: one for key, one in {**LARGE_768, **DAVIT}.items() if key not in ("kind", "side")}
    encoder = {**LARGE, **ENCODER}
    grid, frames = encoder.pop("grid_embeddings"), encoder.pop("temporal_embeddings")
    vision = Florence2VisionConfig(
        **tower, projection_dim=16, max_position_embeddings=grid, max_temporal_embeddings=frames
    )
    text = BartConfig(
        **encoder, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32, vocab_size=WORDS
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Florence2ForConditionalGeneration(Florence2Config(vision_config=vision, text_config=text))
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


def original_weights(model: Florence2ForConditionalGeneration) -> dict[str, Tensor]:
    """Return a Florence-2's weights by their original names, all copies of the table and the bias too."""
    state = {}
    for key, tensor in model.state_dict().items():
        old = original(key)
        state[old] = tensor.T if old == "image_projection" else tensor
    table = state[TABLES[0]]
    return state | dict.fromkeys(TABLES, table) | {BIAS: torch.zeros(1, WORDS)}


def original_settings() -> dict[str, Any]:
    """Return Florence-2's own config.json."""
    return original_config({**LARGE_768, **DAVIT}, {**LARGE, **ENCODER}, words=WORDS)


def decoder_settings(kind: Kind, rows: int) -> dict[str, Any]:
    """Return the fields of a decoder in a published file."""
    fields = {
        "vocab_size": rows,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if kind != "phi3":
        return fields
    factors = {"short_factor": [1.0, 1.1, 1.2, 1.4], "long_factor": [1.1, 1.6, 2.5, 4.0]}
    rope = {"type": "longrope", **factors}
    return fields | {"rope_theta": 10000.0, "rope_scaling": rope, "original_max_position_embeddings": 256}


def write_tokenizer(kind: Kind, folder: Path) -> int:
    """Write the toy tokenizer of a kind and return how many rows its decoder needs."""
    if kind == "phi3":
        for file in (TOY / "toy_phi3_tokenizer").iterdir():
            shutil.copy(file, folder / file.name)
        return 640
    if kind == "llama3":
        header_tokenizer(folder)
        settings = {"eos_token": "<|eot_id|>", "chat_template": "kept"}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        return 300
    return len(piece_codec(folder)) - 1  # without the region token that codec adds


def published_folder(folder: Path, kind: Kind, *, settings_of_tower: bool = True) -> dict[str, Tensor]:
    """Write the folder of a published checkpoint at tiny size and return its weights."""
    folder.mkdir()
    fields = decoder_settings(kind, write_tokenizer(kind, folder))
    phi = kind == "phi3"
    config = {
        **fields,
        "model_type": "llava_phi" if phi else "llava_llama",
        "architectures": ["LlavaPhiForCausalLM" if phi else "LlavaLlamaForCausalLM"],
        "mm_vision_tower": "somebody/florence-vision-tower",
        "mm_projector_type": "mlp3x_gelu",
        "image_aspect_ratio": "pad",
        "tokenizer_model_max_length": 2048,
    }
    if settings_of_tower:
        config["vision"] = original_settings()
    (folder / "config.json").write_text(json.dumps(config))
    own = decoder_config({**fields, "model_type": "phi3" if phi else "llama"})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        decoder = (Phi3ForCausalLM if phi else LlamaForCausalLM)(own)
        projector = build_projector("mlp3x_gelu", inputs=64, outputs=32)
    weights = dict(decoder.state_dict())
    named = {f"projector.{key}": one for key, one in projector.state_dict().items()}
    weights |= {FLORENCE_VL.to_original(key): one for key, one in named.items()}
    weights |= {TOWER + key: one for key, one in original_weights(native_florence()).items()}
    save_file({key: one.clone().contiguous() for key, one in weights.items()}, folder / "model.safetensors")
    return weights

"""Tiny encoders with random weights, in folders as they are published: no result is ever made of them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
    Florence2Config,
    Florence2ForConditionalGeneration,
    PreTrainedModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

BLOCKS = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}


def saved(folder: Path, model: PreTrainedModel) -> Path:
    """Write a model with its config.json."""
    model.eval().save_pretrained(folder)
    return folder


def clip_folder(folder: Path) -> Path:
    torch.manual_seed(0)
    return saved(folder, CLIPVisionModel(CLIPVisionConfig(**BLOCKS, intermediate_size=64)))


def siglip_folder(folder: Path) -> Path:
    torch.manual_seed(1)
    return saved(folder, SiglipVisionModel(SiglipVisionConfig(**BLOCKS, intermediate_size=64)))


def dinov2_folder(folder: Path) -> Path:
    torch.manual_seed(2)
    return saved(folder, Dinov2Model(Dinov2Config(**BLOCKS, mlp_ratio=2)))


def florence2_folder(folder: Path) -> Path:
    """Write Florence-2 in the library's format, with a whole word table."""
    torch.manual_seed(3)
    vision = {
        "embed_dim": [8, 16],
        "num_heads": [2, 4],
        "num_groups": [2, 4],
        "depths": [1, 1],
        "patch_size": [7, 3],
        "patch_stride": [4, 2],
        "patch_padding": [3, 1],
        "patch_prenorm": [False, True],
        "window_size": 4,
        "projection_dim": 16,
        "max_position_embeddings": 50,
        "max_temporal_embeddings": 100,
    }
    text = {
        "model_type": "bart",
        "d_model": 16,
        "vocab_size": 51289,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
    }
    config = Florence2Config(vision_config=vision, text_config=text)
    saved(folder, Florence2ForConditionalGeneration(config))
    size = {"size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(size))
    return folder

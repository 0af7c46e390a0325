"""Tiny checkpoints in the original formats: folders with config.json, shards and a tokenizer.

Names and fields are those of the published files, written out here apart from the code under test.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from deixis.text.tokenizers.llama_tokenizer import SentencePieces
from tests.text.tokenizers.made_codecs import header_codec, piece_codec

State = dict[str, Tensor]
CLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 56,
    "patch_size": 14,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-5,
}
WIDTH, HIDDEN, LAYERS = 48, 96, 2
POINTS = 32  # what the sampler's last stage leaves


@dataclass(frozen=True)
class Folders:
    """A delta, the base that it is of, what both give, and CLIP."""

    base: Path
    delta: Path
    target: Path
    tower: Path
    pieces: int


def ferret_folders(folder: Path, *, seed: int = 0) -> Folders:
    """Write Ferret as published, tiny: 2 layers, one added token, shards with an index."""
    draw = torch.Generator().manual_seed(seed)
    for name in ("base", "delta", "target", "tower"):
        (folder / name).mkdir(parents=True)
    pieces = tokenizer(folder / "delta")
    tokenizer(folder / "base")
    tokenizer(folder / "target")
    base = decoder(draw, rows=pieces)
    target = tuned(base, draw) | ferret_parts(draw)
    target = {key: half(tensor) for key, tensor in target.items()}
    for key in ("model.embed_tokens.weight", "lm_head.weight"):
        target[key] = torch.cat([target[key], normal(draw, 1, WIDTH).half()])
    delta = {key: difference(tensor, base.get(key)) for key, tensor in target.items()}
    buffer = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(6)}
    write_bin(folder / "base", base | buffer, shards=2)
    write_bin(folder / "delta", delta | buffer, shards=3)
    write_safetensors(folder / "target", target)
    write_json(folder / "base" / "config.json", llama_fields(pieces) | {"model_type": "llama"})
    for name in ("delta", "target"):
        write_json(folder / name / "config.json", ferret_config(pieces))
    clip_folder(folder / "tower", draw)
    return Folders(folder / "base", folder / "delta", folder / "target", folder / "tower", pieces)


def ferret_ui_folder(folder: Path, *, kind: str, seed: int = 0, tower: bool = True, **changes: Any) -> State:
    """Write Ferret-UI as published, tiny: kind "llama" or "gemma"; return its tensors."""
    draw = torch.Generator().manual_seed(seed)
    folder.mkdir(parents=True)
    rows = len(header_codec(folder).tokenizer.get_vocab())
    header_codec(folder).save(folder)
    state = decoder(draw, rows=rows, heads=4, groups=2) | ferret_parts(draw, projector="mlp2x_gelu")
    if kind == "gemma":
        state["lm_head.weight"] = state["model.embed_tokens.weight"].clone()
    if tower:
        state |= {f"model.vision_tower.vision_tower.{key}": one for key, one in clip_state(draw).items()}
    state = {key: tensor.to(torch.bfloat16) for key, tensor in state.items()}
    write_safetensors(folder, state, shards=2)
    fields = llama_fields(rows, groups=2) | {"model_type": f"ferret_{kind}", "rope_theta": 500000.0}
    if kind == "llama":
        fields["num_attention_head"] = fields.pop("num_attention_heads")
        fields |= {"bos_token_id": 0, "eos_token_id": 1, "tie_word_embeddings": False}
    else:
        fields |= {
            "head_dim": 12,
            "hidden_act": "gelu",
            "bos_token_id": 2,
            "eos_token_id": 1,
            "pad_token_id": 0,
        }
        fields.pop("tie_word_embeddings")
    fields |= {
        "image_aspect_ratio": "anyres",
        "image_grid_pinpoints": [[56, 112], [112, 56], [112, 112], [168, 56], [56, 168]],
        "mm_hidden_size": 32,
        "mm_patch_merge_type": "spatial",
        "mm_projector_type": "mlp2x_gelu",
        "mm_use_im_patch_token": False,
        "mm_use_im_start_end": False,
        "mm_vision_select_feature": "patch",
        "mm_vision_select_layer": -2,
        "mm_vision_tower": "/somebody/elses/disk/openai-clip-vit-large-patch14-336",
        "region_geo_sampler": True,
        "sampler_pooler_mode": "max",
        "tokenizer_model_max_length": 4096,
        "tokenizer_padding_side": "right",
        "im_region_fea_token": rows - 1,
    }
    write_json(folder / "config.json", fields | changes)
    return state


def ferret_v2_folder(folder: Path, *, seed: int = 0) -> State:
    """Write Ferret-v2 in the manner of the others, tiny: CLIP, DINOv2, projected maps; return its tensors."""
    draw = torch.Generator().manual_seed(seed)
    folder.mkdir(parents=True)
    rows = tokenizer(folder) + 1
    state = decoder(draw, rows=rows) | ferret_parts(draw, projector="mlp2x_gelu", sampled=WIDTH)
    state |= projector_state(draw, "mlp2x_gelu", name="model.mm_projector_local")
    state |= {f"model.vision_tower.vision_tower.{key}": one for key, one in clip_state(draw).items()}
    state |= {f"model.vision_tower_local.vision_tower.{key}": one for key, one in dinov2_state(draw).items()}
    write_safetensors(folder, state)
    dinov2 = {**CLIP, "type": "dinov2", "mlp_ratio": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-6}
    dinov2.pop("intermediate_size")
    config = {
        "model_type": "deixis_ferret_v2",
        "llm": {"type": "llama", **llama_fields(rows)},
        "global_vision": {"type": "clip", **CLIP},
        "local_vision": dinov2,
        "global_size": 56,
        "local_crop": 56,
        "grids": [[1, 1], [1, 2], [2, 1]],
        "max_image_tokens": None,
        "select_layer": -2,
        "local_select_layer": -2,
        "mm_projector_type": "mlp2x_gelu",
        "region_feature_source": "projected",
        "global_upsample": "bilinear",
        "point_order": "xy",
        "sampler_pooler_mode": "mean",
        "im_region_fea_token": rows - 1,
    }
    write_json(folder / "config.json", config)
    return state


def tokenizer(folder: Path) -> int:
    """Write a tokenizer.model and return how many pieces it has."""
    piece_codec(folder)
    return len(SentencePieces(folder / "tokenizer.model", legacy=True))


def ferret_config(pieces: int) -> dict[str, Any]:
    """Return the fields of Ferret's config.json."""
    return llama_fields(pieces + 1) | {
        "architectures": ["FERRETLlamaForCausalLM"],
        "model_type": "ferret",
        "mm_vision_tower": "openai/clip-vit-large-patch14-336",
        "mm_hidden_size": 32,
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "use_mm_proj": True,
        "region_geo_sampler": True,
        "sampler_pooler_mode": "max",
        "im_region_fea_token": pieces,
        "image_aspect_ratio": "square_nocrop",
        "image_grid_pinpoints": None,
        "tune_mm_mlp_adapter": False,
        "freeze_mm_mlp_adapter": False,
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
        "max_sequence_length": 2048,
        "torch_dtype": "float16",
    }


def llama_fields(rows: int, *, groups: int = 4) -> dict[str, Any]:
    """Return a decoder's fields."""
    return {
        "vocab_size": rows,
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": groups,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "hidden_act": "silu",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "tie_word_embeddings": False,
    }


def decoder(
    draw: torch.Generator, *, rows: int, heads: int = 4, groups: int = 4, layers: int = LAYERS
) -> State:
    """Return a Llama or Gemma in float16."""
    narrow = WIDTH // heads * groups
    state = {
        "model.embed_tokens.weight": normal(draw, rows, WIDTH),
        "lm_head.weight": normal(draw, rows, WIDTH),
    }
    for number in range(layers):
        start = f"model.layers.{number}."
        for name, out in (("q", WIDTH), ("k", narrow), ("v", narrow), ("o", WIDTH)):
            state[f"{start}self_attn.{name}_proj.weight"] = normal(draw, out, WIDTH)
        state[f"{start}mlp.gate_proj.weight"] = normal(draw, HIDDEN, WIDTH)
        state[f"{start}mlp.up_proj.weight"] = normal(draw, HIDDEN, WIDTH)
        state[f"{start}mlp.down_proj.weight"] = normal(draw, WIDTH, HIDDEN)
        state[f"{start}input_layernorm.weight"] = 1 + normal(draw, WIDTH)
        state[f"{start}post_attention_layernorm.weight"] = 1 + normal(draw, WIDTH)
    state["model.norm.weight"] = 1 + normal(draw, WIDTH)
    return {key: half(tensor) for key, tensor in state.items()}


def ferret_parts(draw: torch.Generator, *, projector: str = "linear", sampled: int = 32) -> State:
    """Return a projector and a region sampler that reads maps of ``sampled`` channels."""
    state = projector_state(draw, projector, name="model.mm_projector")
    start, wide = "model.region_geo_sampler.", sampled + 2
    shapes: dict[str, tuple[int, ...]] = {}
    for stage in (0, 1):
        shapes[f"diff_projector_list.{stage}.weight"] = (wide, wide)
        shapes[f"diff_projector_list.{stage}.bias"] = (wide,)
        shapes[f"agg_projector_list.{stage}.net.0.weight"] = (sampled, 2 * wide, 1)
        shapes[f"agg_projector_list.{stage}.net.0.bias"] = (sampled,)
        shapes[f"agg_projector_list.{stage}.norm.weight"] = (sampled,)
        shapes[f"agg_projector_list.{stage}.norm.bias"] = (sampled,)
    shapes["flatten_projector.weight"] = (sampled, POINTS * sampled)
    shapes["flatten_projector.bias"] = (sampled,)
    shapes["dim_projector.weight"] = (WIDTH, sampled)
    shapes["dim_projector.bias"] = (WIDTH,)
    return state | {start + key: normal(draw, *shape) for key, shape in shapes.items()}


def projector_state(draw: torch.Generator, kind: str, *, name: str) -> State:
    """Return a projector from the tower's width to the decoder's."""
    if kind == "linear":
        return {f"{name}.weight": normal(draw, WIDTH, 32), f"{name}.bias": normal(draw, WIDTH)}
    state = {f"{name}.0.weight": normal(draw, WIDTH, 32), f"{name}.0.bias": normal(draw, WIDTH)}
    return state | {f"{name}.2.weight": normal(draw, WIDTH, WIDTH), f"{name}.2.bias": normal(draw, WIDTH)}


def clip_state(draw: torch.Generator) -> State:
    """Return CLIP's vision tower by the names of files."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.class_embedding": (32,),
        "embeddings.patch_embedding.weight": (32, 3, 14, 14),
        "embeddings.position_embedding.weight": (17, 32),
    }
    norms = ["pre_layrnorm", "post_layernorm"]
    for layer in range(2):
        start = f"encoder.layers.{layer}."
        norms += [start + "layer_norm1", start + "layer_norm2"]
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= {f"{start}self_attn.{name}.weight": (32, 32), f"{start}self_attn.{name}.bias": (32,)}
        shapes |= {f"{start}mlp.fc1.weight": (64, 32), f"{start}mlp.fc1.bias": (64,)}
        shapes |= {f"{start}mlp.fc2.weight": (32, 64), f"{start}mlp.fc2.bias": (32,)}
    shapes |= {f"{name}.{part}": (32,) for name in norms for part in ("weight", "bias")}
    return {f"vision_model.{key}": normal(draw, *shape) for key, shape in shapes.items()}


def dinov2_state(draw: torch.Generator) -> State:
    """Return DINOv2 by the names of files."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.cls_token": (1, 1, 32),
        "embeddings.mask_token": (1, 32),
        "embeddings.position_embeddings": (1, 17, 32),
        "embeddings.patch_embeddings.projection.weight": (32, 3, 14, 14),
        "embeddings.patch_embeddings.projection.bias": (32,),
        "layernorm.weight": (32,),
        "layernorm.bias": (32,),
    }
    for layer in range(2):
        start = f"encoder.layer.{layer}."
        shapes |= {f"{start}layer_scale{number}.lambda1": (32,) for number in (1, 2)}
        for name in ("attention.attention.query", "attention.attention.key", "attention.attention.value"):
            shapes |= {f"{start}{name}.weight": (32, 32), f"{start}{name}.bias": (32,)}
        shapes |= {
            f"{start}attention.output.dense.weight": (32, 32),
            f"{start}attention.output.dense.bias": (32,),
        }
        shapes |= {f"{start}mlp.fc1.weight": (64, 32), f"{start}mlp.fc1.bias": (64,)}
        shapes |= {f"{start}mlp.fc2.weight": (32, 64), f"{start}mlp.fc2.bias": (32,)}
        shapes |= {f"{start}norm{number}.{part}": (32,) for number in (1, 2) for part in ("weight", "bias")}
    return {key: normal(draw, *shape) for key, shape in shapes.items()}


def clip_folder(folder: Path, draw: torch.Generator) -> None:
    """Write CLIP as its authors did: both towers, the picture's settings below "vision_config"."""
    text = {"text_model.final_layer_norm.weight": torch.ones(8), "logit_scale": torch.tensor(1.0)}
    ids = {"vision_model.embeddings.position_ids": torch.arange(17)}
    write_bin(folder, clip_state(draw) | text | ids)
    write_json(folder / "config.json", {"model_type": "clip", "vision_config": CLIP, "text_config": {}})


def tuned(base: State, draw: torch.Generator) -> State:
    """Return weights a little away from others."""
    return {key: tensor.float() + normal(draw, *tensor.shape) / 20 for key, tensor in base.items()}


def difference(target: Tensor, base: Tensor | None) -> Tensor:
    """Return a delta as it was published: one float16 subtraction an element."""
    delta = target.clone()
    if base is not None:
        delta[: base.shape[0]] -= base
    return delta


def normal(draw: torch.Generator, *shape: int) -> Tensor:
    """Return numbers of the size of weights."""
    return torch.randn(*shape, generator=draw) * 0.02


def half(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float16)


def split(state: Mapping[str, Tensor], shards: int) -> list[State]:
    """Return the tensors in so many parts, in turn."""
    return [dict(list(state.items())[number::shards]) for number in range(shards)]


def write_bin(folder: Path, state: State, *, shards: int = 1, index: bool = True) -> None:
    """Write files of torch.save, several with an index."""
    if shards == 1:
        torch.save(state, folder / "pytorch_model.bin")
        return
    placed = {}
    for number, part in enumerate(split(state, shards), start=1):
        name = f"pytorch_model-{number:05d}-of-{shards:05d}.bin"
        torch.save(part, folder / name)
        placed |= dict.fromkeys(part, name)
    if index:
        write_json(folder / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": placed})


def write_safetensors(folder: Path, state: State, *, shards: int = 1, index: bool = True) -> None:
    """Write safetensors, several with an index."""
    if shards == 1:
        save_file(state, folder / "model.safetensors")
        return
    placed = {}
    for number, part in enumerate(split(state, shards), start=1):
        name = f"model-{number:05d}-of-{shards:05d}.safetensors"
        save_file(part, folder / name)
        placed |= dict.fromkeys(part, name)
    if index:
        write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": placed})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_json(path: Path, *removed: str, **changes: Any) -> None:
    """Change some fields of a file and remove others."""
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    write_json(path, {key: value for key, value in content.items() if key not in removed})


def long_ferret(folder: Path, *, shards: int) -> Folders:
    """Write a delta and a base of so many shards, a layer each, all layers alike."""
    draw = torch.Generator().manual_seed(1)
    tiny = ferret_folders(folder)
    width, hidden = 768, 2048
    shapes = {f"self_attn.{name}_proj.weight": (width, width) for name in "qkvo"}
    shapes |= {"mlp.gate_proj.weight": (hidden, width), "mlp.up_proj.weight": (hidden, width)}
    shapes |= {"mlp.down_proj.weight": (width, hidden)}
    layer: State = {key: half(normal(draw, *shape)) for key, shape in shapes.items()}
    layer |= {
        key: torch.ones(width).half() for key in ("input_layernorm.weight", "post_attention_layernorm.weight")
    }
    step = {key: (tensor.float() / 64).half() * 0 for key, tensor in layer.items()}
    parts = ferret_parts(draw)
    parts["model.mm_projector.weight"] = normal(draw, width, 32)
    parts["model.mm_projector.bias"] = normal(draw, width)
    parts["model.region_geo_sampler.dim_projector.weight"] = normal(draw, width, 32)
    parts["model.region_geo_sampler.dim_projector.bias"] = normal(draw, width)
    for name, one, rows in (("base", layer, tiny.pieces), ("delta", step, tiny.pieces + 1)):
        for old in (tiny.base.parent / name).glob("pytorch_model*"):
            old.unlink()
        rest = {
            "model.embed_tokens.weight": torch.zeros(rows, width).half(),
            "model.norm.weight": layer_norm(width),
        }
        rest |= {"lm_head.weight": torch.zeros(rows, width).half()} | ({} if name == "base" else parts)
        for number in range(shards):
            state = {f"model.layers.{number}.{key}": tensor for key, tensor in one.items()}
            file = f"pytorch_model-{number + 1:05d}-of-{shards:05d}.bin"
            torch.save(state | (rest if number == 0 else {}), tiny.base.parent / name / file)
    edit_json(
        tiny.delta / "config.json", hidden_size=width, intermediate_size=hidden, num_hidden_layers=shards
    )
    return tiny


def layer_norm(width: int) -> Tensor:
    return torch.ones(width, dtype=torch.float16)

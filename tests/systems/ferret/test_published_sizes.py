"""The published key lists, at their real sizes and without numbers, fit our networks."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from deixis.checkpoints.convert.checkpoint import HEAD, Checkpoint
from deixis.checkpoints.convert.tower_folder import CLIP_FIELDS, TowerFiles
from deixis.checkpoints.files.lazy import LazyTensor
from deixis.checkpoints.fit import check_fit, network_shapes
from deixis.systems.ferret.keys import FERRET
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.ferret.weights import our_config
from deixis.systems.ferret_v2.keys import FERRET_V2
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.ferret_v2.weights import our_ui_config

Shapes = dict[str, tuple[int, ...]]
LARGE = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
TOWER = TowerFiles({**CLIP_FIELDS, **LARGE, "kind": "clip", "image_size": 336, "patch_size": 14}, {})
COMMON = {"region_geo_sampler": True, "sampler_pooler_mode": "max", "mm_hidden_size": 1024}
COMMON |= {"mm_vision_select_layer": -2, "mm_vision_select_feature": "patch", "mm_use_im_patch_token": False}


def decoder(width: int, hidden: int, *, layers: int, rows: int, queries: int, keys: int) -> Shapes:
    shapes: Shapes = {
        "model.embed_tokens.weight": (rows, width),
        HEAD: (rows, width),
        "model.norm.weight": (width,),
    }
    for number in range(layers):
        start = f"model.layers.{number}."
        shapes |= {f"{start}self_attn.{one}_proj.weight": (keys, width) for one in "kv"}
        shapes |= {f"{start}self_attn.q_proj.weight": (queries, width)}
        shapes |= {f"{start}self_attn.o_proj.weight": (width, queries)}
        shapes |= {f"{start}mlp.{one}_proj.weight": (hidden, width) for one in ("gate", "up")}
        shapes |= {f"{start}mlp.down_proj.weight": (width, hidden)}
        shapes |= {f"{start}{one}_layernorm.weight": (width,) for one in ("input", "post_attention")}
    return shapes


def sampler(width: int) -> Shapes:
    start = "model.region_geo_sampler."
    shapes: Shapes = {}
    for stage in (0, 1):
        shapes |= {f"{start}diff_projector_list.{stage}.weight": (1026, 1026)}
        shapes |= {f"{start}diff_projector_list.{stage}.bias": (1026,)}
        shapes |= {f"{start}agg_projector_list.{stage}.net.0.weight": (1024, 2052, 1)}
        parts = ("net.0.bias", "norm.weight", "norm.bias")
        shapes |= {f"{start}agg_projector_list.{stage}.{part}": (1024,) for part in parts}
    shapes |= {f"{start}flatten_projector.weight": (1024, 32768), f"{start}flatten_projector.bias": (1024,)}
    return shapes | {f"{start}dim_projector.weight": (width, 1024), f"{start}dim_projector.bias": (width,)}


def checkpoint(shapes: Shapes, config: dict[str, Any]) -> Checkpoint:
    def unread() -> Tensor:
        raise AssertionError("names and shapes are enough")

    tensors = {key: LazyTensor(shape, torch.float16, "w.bin", unread) for key, shape in shapes.items()}
    return Checkpoint(Path("published"), config, tensors)


@pytest.mark.parametrize(
    ("width", "hidden", "layers", "heads", "in_sampler"),
    [(4096, 11008, 32, 32, 44_069_900), (5120, 13824, 40, 40, 45_119_500)],
)
def test_ferret(width: int, hidden: int, layers: int, heads: int, in_sampler: int) -> None:
    shapes = decoder(width, hidden, layers=layers, rows=32001, queries=width, keys=width) | sampler(width)
    shapes |= {"model.mm_projector.weight": (width, 1024), "model.mm_projector.bias": (width,)}
    config = COMMON | {
        "model_type": "ferret",
        "vocab_size": 32001,
        "hidden_size": width,
        "intermediate_size": hidden,
    }
    config |= {"num_hidden_layers": layers, "num_attention_heads": heads, "im_region_fea_token": 32000}
    published = checkpoint(shapes, config)
    ours = our_config(published, tower=TOWER)
    built = network_shapes(lambda: FerretNetwork(ours))
    tensors = {FERRET.to_ours(key): one for key, one in published.tensors.items()}
    check_fit(
        tensors, {key: built[key] for key in built if not key.startswith("tower.")}, table=FERRET, where="c"
    )
    assert sum(prod(shape) for key, shape in built.items() if key.startswith("sampler.")) == in_sampler
    assert sum("mm_projector" in key or "region_geo" in key for key in shapes) == 18
    assert (ours.region_token_id, ours.side) == (32000, 336)


LLAMA = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_key_value_heads": 8}
LLAMA |= {
    "num_attention_head": 32,
    "rope_theta": 500000.0,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
}
LLAMA |= {"vocab_size": 128258, "bos_token_id": 128000, "eos_token_id": 128009, "pad_token_id": 128256}
GEMMA = {"hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers": 18, "num_attention_heads": 8}
GEMMA |= {"num_key_value_heads": 1, "head_dim": 256, "hidden_act": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6}
GEMMA |= {"vocab_size": 256001, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}


@pytest.mark.parametrize(
    ("kind", "decoder_fields", "queries", "keys", "region"),
    [("llama", LLAMA, 4096, 1024, 128257), ("gemma", GEMMA, 2048, 256, 256000)],
)
def test_ferret_ui(kind: str, decoder_fields: dict[str, Any], queries: int, keys: int, region: int) -> None:
    width, hidden = decoder_fields["hidden_size"], decoder_fields["intermediate_size"]
    layers, rows = decoder_fields["num_hidden_layers"], decoder_fields["vocab_size"]
    shapes = decoder(width, hidden, layers=layers, rows=rows, queries=queries, keys=keys) | sampler(width)
    shapes |= {"model.mm_projector.0.weight": (width, 1024), "model.mm_projector.0.bias": (width,)}
    shapes |= {"model.mm_projector.2.weight": (width, width), "model.mm_projector.2.bias": (width,)}
    config = COMMON | decoder_fields | {"model_type": f"ferret_{kind}", "im_region_fea_token": region}
    config |= {
        "max_position_embeddings": 8192,
        "image_aspect_ratio": "anyres",
        "mm_projector_type": "mlp2x_gelu",
    }
    config |= {"image_grid_pinpoints": [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]}
    config |= {"mm_patch_merge_type": "spatial", "tokenizer_model_max_length": 4096}
    published = checkpoint(shapes, config)
    ours = our_ui_config(published, tower=TOWER)
    tied = bool(ours.language["tie_word_embeddings"])
    assert tied is (kind == "gemma")
    built = network_shapes(lambda: FerretV2Network(ours))
    kept = {key: one for key, one in published.tensors.items() if not (tied and key == HEAD)}
    tensors = {FERRET_V2.to_ours(key): one for key, one in kept.items()}
    check_fit(
        tensors,
        {key: built[key] for key in built if not key.startswith("tower.")},
        table=FERRET_V2,
        where="c",
    )
    assert ours.region_token_id == region and ours.grids == [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]]

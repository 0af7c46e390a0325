"""Phi-3 in a published checkpoint: its settings as spelt at all times, its fused matrices, both ways."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import Phi3Config, Phi3ForCausalLM

from deixis.checkpoints.convert.renaming import KeyTable, language
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.initial_state import language_state
from deixis.checkpoints.language_settings import language_settings, published_language, token_ids
from deixis.errors import BadWeights
from tests.checkpoints.tiny_checkpoints import write_safetensors

ROWS, WIDTH, SHORTEST = 40, 32, 16
LONG = {
    "short_factor": [1.0, 1.1, 1.3, 2.0],
    "long_factor": [1.5, 2.0, 6.0, 12.0],
}
# What published files say, of the 128k models; a family's own fields are beside them.
FIELDS: dict[str, Any] = {
    "model_type": "llava_phi",
    "architectures": ["LlavaPhiForCausalLM"],
    "vocab_size": ROWS,
    "hidden_size": WIDTH,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "max_position_embeddings": 256,
    "original_max_position_embeddings": SHORTEST,
    "initializer_range": 0.5,
    "rms_norm_eps": 1e-5,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "embd_pdrop": 0.0,
    "resid_pdrop": 0.0,
    "rope_theta": 5000.0,
    "rope_scaling": {"type": "longrope", **LONG},
    "sliding_window": 9,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 39,
    "pad_token_id": 39,
    "mm_projector_type": "mlp3x_gelu",
}
TABLE = KeyTable("LLaVA", (("model.mm_projector.", "projector."), *language("language")))


def reference() -> Phi3ForCausalLM:
    """Return the decoder of such a file, its configuration written out as the library has it today."""
    names = set(FIELDS) - {"model_type", "architectures", "rope_theta", "rope_scaling", "mm_projector_type"}
    parameters = {
        "rope_type": "longrope",
        "rope_theta": 5000.0,
        "partial_rotary_factor": 1.0,
        "original_max_position_embeddings": SHORTEST,
        **LONG,
    }
    config = Phi3Config(**{name: FIELDS[name] for name in names}, rope_parameters=parameters)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Phi3ForCausalLM(config).eval()


def published(folder: Path) -> dict[str, LazyTensor]:
    """Write a checkpoint as LLaVA's relatives do, and return its tensors by their names there."""
    state = {key: tensor.clone() for key, tensor in reference().state_dict().items()}
    extra = {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.ones(4) for layer in range(2)}
    extra |= {"model.mm_projector.encoder_mlp.0.weight": torch.ones(WIDTH, 8)}
    extra |= {"model.vision_tower.vision_tower.convs.0.proj.bias": torch.ones(8)}
    write_safetensors(folder, state | extra, shards=2)
    return open_shards(folder)


def rows_only() -> dict[str, LazyTensor]:
    return {"model.embed_tokens.weight": held(torch.zeros(ROWS, WIDTH), where="w.bin")}


def settings_of(fields: dict[str, Any]) -> dict[str, Any]:
    return language_settings(fields, rows_only(), where="c.json")


def built(settings: dict[str, Any]) -> Phi3ForCausalLM:
    """Return the decoder of settings."""
    return Phi3ForCausalLM(Phi3Config(**{k: v for k, v in settings.items() if k != "model_type"})).eval()


def logits(decoder: Phi3ForCausalLM, length: int) -> Tensor:
    ids = torch.randint(ROWS, (2, length), generator=torch.Generator().manual_seed(length))
    with torch.no_grad():
        return decoder(ids).logits


@pytest.mark.parametrize("length", [SHORTEST - 4, SHORTEST, SHORTEST + 1, 60])
def test_a_published_decoder_gives_the_same_logits(length: int, tmp_path: Path) -> None:
    tensors = published(tmp_path)
    decoder = built(language_settings(FIELDS, tensors, where="c.json"))
    plain = {key: one for key, one in tensors.items() if not key.startswith(("model.mm", "model.vision"))}
    ours = {TABLE.to_ours(key): tensor.read() for key, tensor in plain.items()}
    assert all(key.startswith("language.") for key in ours)
    decoder.load_state_dict({key.removeprefix("language."): tensor for key, tensor in ours.items()})
    assert torch.equal(logits(decoder, length), logits(reference(), length))
    assert {TABLE.to_original(key) for key in ours} == set(plain)


def test_the_switch_to_long_positions_and_the_window_are_there() -> None:
    """The comparison above would not see them if they did nothing."""
    whole = reference()
    for change in (
        {"rope_scaling": None},
        {"rope_scaling": {"type": "longrope", "short_factor": [1.0] * 4, "long_factor": LONG["long_factor"]}},
        {"sliding_window": None},
        {"original_max_position_embeddings": 32},
    ):
        other = built(settings_of(FIELDS | change))
        other.load_state_dict(whole.state_dict())
        short, long = SHORTEST - 7, SHORTEST + 6
        differ = [not torch.equal(logits(other, n), logits(whole, n)) for n in (short, long)]
        assert any(differ), change


def test_the_fields_come_back() -> None:
    given = copy.deepcopy(FIELDS)
    ours = settings_of(given)
    assert given == FIELDS  # the library writes into dictionaries that it is given
    assert ours["model_type"] == "phi3" and ours["sliding_window"] == 9
    assert ours["rope_parameters"]["original_max_position_embeddings"] == SHORTEST
    back = published_language(ours)
    left_out = {"model_type", "architectures", "mm_projector_type"}
    assert {name: back.get(name) for name in FIELDS if name not in left_out} == {
        name: value for name, value in FIELDS.items() if name not in left_out
    }
    assert settings_of(back | {"model_type": "phi3"}) == ours


def today(**changes: Any) -> dict[str, Any]:
    """Return the fields as today's library writes them."""
    fields = {name: value for name, value in FIELDS.items() if name not in ("rope_theta", "rope_scaling")}
    stretched = {
        "rope_type": "longrope",
        "rope_theta": 5000.0,
        "partial_rotary_factor": 1.0,
        "original_max_position_embeddings": SHORTEST,
        **LONG,
    }
    return {**fields, "rope_parameters": stretched, **changes}


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS | {"rope_scaling": {"type": "su", **LONG}},  # the first of 2024
        FIELDS | {"rope_scaling": {"type": "yarn", **LONG}},
        FIELDS | {"rope_scaling": {"rope_type": "longrope", **LONG}},
        today(),
        {name: value for name, value in today().items() if name != "original_max_position_embeddings"},
    ],
    ids=["su", "yarn", "rope_type", "rope_parameters", "length beside the factors only"],
)
def test_spellings_of_all_times_mean_the_same(fields: dict[str, Any]) -> None:
    ours = settings_of(fields)
    whole, other = reference(), built(ours)
    other.load_state_dict(whole.state_dict())
    for length in (SHORTEST, SHORTEST + 1):
        assert torch.equal(logits(other, length), logits(whole, length))
    assert published_language(ours)["rope_scaling"] == {"type": "longrope", **LONG}


def test_a_short_one() -> None:
    """The 4k models: nothing is stretched, and the field is there and empty."""
    ours = settings_of(FIELDS | {"rope_scaling": None, "sliding_window": None})
    assert ours["rope_parameters"]["rope_type"] == "default" and ours["sliding_window"] is None
    back = published_language(ours)
    assert back["rope_scaling"] is None and back["rope_theta"] == 5000.0 and back["sliding_window"] is None


@pytest.mark.parametrize(
    "scaling",
    [
        {"type": "longrope", "short_factor": [1.0], "long_factor": LONG["long_factor"]},
        {"type": "longrope", "short_factor": LONG["short_factor"]},
        {"type": "linear", "factor": 2.0},
        {"type": "longrope", "short_factor": "many", "long_factor": LONG["long_factor"]},
        "longrope",
        [1.0],
    ],
    ids=str,
)
def test_stretching_that_cannot_be(scaling: object) -> None:
    with pytest.raises(
        BadWeights, match=r"c\.json: (the decoder's fields make no phi3 conf|field 'rope_scaling)"
    ):
        settings_of(FIELDS | {"rope_scaling": scaling})


def test_nothing_begins_a_text() -> None:
    assert token_ids(settings_of(FIELDS)) == {"bos_token_id": None, "eos_token_id": 39, "pad_token_id": 39}


def test_other_decoders_don_t_take_its_fields() -> None:
    stray = {"sliding_window": 4, "original_max_position_embeddings": 8, "rope_scaling": None}
    ours = settings_of(FIELDS | {"model_type": "llava_llama", **stray})
    assert ours["model_type"] == "llama" and not {"sliding_window", "embd_pdrop"} & set(ours)


def test_a_plain_one_starts_a_stage(tmp_path: Path) -> None:
    state = {key: tensor.clone() for key, tensor in reference().state_dict().items()}
    write_safetensors(tmp_path, state)
    ours = language_state(tmp_path, rows=ROWS + 1)
    assert torch.equal(
        ours["language.model.layers.1.self_attn.qkv_proj.weight"],
        state["model.layers.1.self_attn.qkv_proj.weight"],
    )
    assert ours["language.lm_head.weight"].shape == (ROWS + 1, WIDTH)

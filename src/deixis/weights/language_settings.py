"""A decoder's sizes in a published config.json, and the same as a configuration of ``transformers``.

Published files hold the decoder's fields among all others, some under a wrong or an older name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import GemmaConfig, LlamaConfig

from deixis.errors import BadWeights
from deixis.weights.lazy import Tensors, shown

CONFIGS: dict[str, type[LlamaConfig] | type[GemmaConfig]] = {"llama": LlamaConfig, "gemma": GemmaConfig}
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")
FIELDS = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "hidden_act",
    "max_position_embeddings",
    "initializer_range",
    "rms_norm_eps",
    "attention_bias",
    "attention_dropout",
    "mlp_bias",
    "tie_word_embeddings",
    *TOKENS,
)
ROTARY = ("rope_theta", "rope_scaling", "rope_parameters")
# The published Llama-3 file of Ferret-UI has this in the place of num_attention_heads.
MISSPELT = "num_attention_head"
NEEDED = ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")
EMBEDDING = "model.embed_tokens.weight"


def language_settings(config: Mapping[str, Any], tensors: Tensors, *, where: str) -> dict[str, Any]:
    """Return the decoder's configuration, with its "model_type" ("llama" or "gemma").

    config: the published fields. tensors: by original names; they decide where the file is wrong or silent.
    where: the file, for messages. BadWeights: a field that is missing, or that the tensors contradict.
    """
    kind = "gemma" if "gemma" in str(config.get("model_type", "")) else "llama"
    for name in NEEDED:
        if type(config.get(name)) is not int or config[name] < 1:
            raise BadWeights(
                f"{where}: field {name!r} is {config.get(name)!r:.40}; expected a whole number above 0"
            )
    given = {name: config[name] for name in (*FIELDS, *ROTARY) if config.get(name) is not None}
    given["num_attention_heads"] = heads(config, tensors, where=where)
    given["tie_word_embeddings"] = config.get("tie_word_embeddings", kind == "gemma")
    if kind == "gemma":  # its files say "gelu", which the library has always read as the tanh form
        given["hidden_act"] = config.get("hidden_activation") or "gelu_pytorch_tanh"
    try:
        full = CONFIGS[kind](**given).to_dict()
    except Exception as fault:  # transformers checks fields with kinds of its own
        raise BadWeights(f"{where}: the decoder's fields make no {kind} configuration: {fault}") from fault
    settings = {name: full[name] for name in (*FIELDS, "rope_parameters") if name in full}
    check_rows(settings["vocab_size"], tensors, where=where)
    check_tokens(settings, where=where)
    return settings | {"model_type": kind}


def published_language(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decoder's fields as published files hold them."""
    fields = {name: settings[name] for name in FIELDS if name in settings}
    rotary = dict(settings.get("rope_parameters") or {})
    fields["rope_theta"] = rotary.pop("rope_theta", 10000.0)
    fields["rope_scaling"] = None if rotary.get("rope_type", "default") == "default" else rotary
    return fields


def heads(config: Mapping[str, Any], tensors: Tensors, *, where: str) -> int:
    """Return how many attention heads there are, whatever the file calls them.

    Where the right name is missing, the number of the wrong one or the library's own default holds, whichever
    agrees with the matrices.
    """
    right = config.get("num_attention_heads")
    if type(right) is int and right > 0:
        return right
    if right is not None:
        raise BadWeights(
            f"{where}: field 'num_attention_heads' is {right!r:.40}; expected a whole number above 0"
        )
    query, key = (tensors.get(f"model.layers.0.self_attn.{one}_proj.weight") for one in "qk")
    groups = config.get("num_key_value_heads")
    for number in (config.get(MISSPELT), LlamaConfig().num_attention_heads):
        if type(number) is not int or number < 1:
            continue
        if query is None or key is None or type(groups) is not int or groups < 1:
            return number
        if query.shape[0] * groups == key.shape[0] * number:
            return number
    shapes = [shown(one.shape) for one in (query, key) if one is not None]
    raise BadWeights(
        f"{where}: field 'num_attention_heads' is missing, and {MISSPELT!r} = {config.get(MISSPELT)!r:.40} "
        f"does not go with q_proj and k_proj of layer 0, {' and '.join(shapes)}, and {groups!r} key-value "
        "heads; add the field"
    )


def check_rows(vocabulary: int, tensors: Tensors, *, where: str) -> None:
    """Raise BadWeights unless the embedding has a row for each token that the file counts."""
    embedding = tensors.get(EMBEDDING)
    if embedding is None:
        raise BadWeights(
            f"the weights beside {where} have no {EMBEDDING}; expected {vocabulary} rows of it; is a file "
            "of the checkpoint missing?"
        )
    if embedding.shape[0] != vocabulary:
        raise BadWeights(
            f"{embedding.where}: {EMBEDDING} is {shown(embedding.shape)}, but {where} says vocab_size "
            f"{vocabulary}; the rows differ by the tokens added for regions: config.json and weights are of "
            "different checkpoints (32000 is plain Vicuna, 32001 Ferret)"
        )


def check_tokens(settings: Mapping[str, Any], *, where: str) -> None:
    """Raise BadWeights for a token id without a row."""
    for name in TOKENS:
        ids = settings[name] if isinstance(settings[name], list) else [settings[name]]
        if any(one is not None and not 0 <= one < settings["vocab_size"] for one in ids):
            raise BadWeights(
                f"{where}: {name} is {settings[name]}, but vocab_size is {settings['vocab_size']}; "
                "config.json is of another checkpoint"
            )


def token_ids(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids of the tokens that begin, end and fill a text; what fills is masked, and 0 will do."""
    ids = {name: settings[name] for name in TOKENS}
    return ids if ids["pad_token_id"] is not None else {**ids, "pad_token_id": 0}

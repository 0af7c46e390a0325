"""A decoder's sizes in a published config.json, and the same as a configuration of ``transformers``.

Published files hold the decoder's fields among all others, some under a wrong or an older name.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from transformers import LlamaConfig

from deixis.checkpoints.decoder_fields import DECODER
from deixis.checkpoints.files.lazy import Tensors, shown
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.errors import BadWeights
from deixis.layers.language.causal_decoders import DECODERS

# Words in the model_type of published files, and the decoder that they stand for; all others are Llamas.
KINDS = {"gemma": "gemma", "phi": "phi3"}
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
# What only one kind of decoder has.
OWN_FIELDS = {
    "phi3": (
        "original_max_position_embeddings",
        "partial_rotary_factor",
        "sliding_window",
        "embd_pdrop",
        "resid_pdrop",
    )
}
ROTARY = ("rope_theta", "rope_scaling", "rope_parameters")
# What Phi-3's first files call "longrope".
EARLIER_LONG = ("su", "yarn")
# The published Llama-3 file of Ferret-UI has this in the place of num_attention_heads.
MISSPELT = "num_attention_head"
NEEDED = ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")
EMBEDDING = "model.embed_tokens.weight"


def language_settings(config: Mapping[str, Any], tensors: Tensors, *, where: str) -> dict[str, Any]:
    """Return the decoder's configuration, with its "model_type" ("llama", "gemma" or "phi3").

    config: the published fields. tensors: by original names; they decide where the file is wrong or silent.
    where: the file, for messages. BadWeights: a field that is missing, or that the tensors contradict.
    """
    kind = kind_of(config)
    for name in NEEDED:
        if type(config.get(name)) is not int or config[name] < 1:
            raise BadWeights(
                f"{where}: field {name!r} is {config.get(name)!r:.40}; expected a whole number above 0"
            )
    names = (*FIELDS, *OWN_FIELDS.get(kind, ()))
    # The library writes into what it is given.
    given = {name: deepcopy(config[name]) for name in (*names, *ROTARY) if config.get(name) is not None}
    given["num_attention_heads"] = heads(config, tensors, where=where)
    given["tie_word_embeddings"] = config.get("tie_word_embeddings", kind == "gemma")
    if kind == "gemma":  # its files say "gelu", which the library has always read as the tanh form
        given["hidden_act"] = config.get("hidden_activation") or "gelu_pytorch_tanh"
    if kind == "phi3":
        say_long(given)
    for name, value in given.items():
        DECODER.groups[kind].fields[name].check(value, name=name, where=where)
    try:
        with quiet_transformers():
            full = DECODERS[kind].config(**given).to_dict()
    except Exception as fault:  # transformers checks fields with kinds of its own
        raise BadWeights(f"{where}: the decoder's fields make no {kind} configuration: {fault}") from fault
    settings = {name: full[name] for name in (*names, "rope_parameters") if name in full}
    check_rows(settings["vocab_size"], tensors, where=where)
    check_tokens(settings, where=where)
    return settings | {"model_type": kind}


def kind_of(config: Mapping[str, Any]) -> str:
    """Return which decoder a published file is of.

    >>> kind_of({"model_type": "ferret_gemma"}), kind_of({"model_type": "llava_phi3"}), kind_of({})
    ('gemma', 'phi3', 'llama')
    """
    stated = str(config.get("model_type", ""))
    return next((kind for word, kind in KINDS.items() if word in stated), "llama")


def say_long(given: dict[str, Any]) -> None:
    """Let fields of Phi-3, of any time, say how positions are stretched as the library reads it today.

    The length before stretching is beside the factors in newer files; the library believes the field alone.
    """
    for name in ("rope_scaling", "rope_parameters"):
        scaling = given.get(name)
        if not isinstance(scaling, dict):
            continue
        for spelling in ("type", "rope_type"):
            if scaling.get(spelling) in EARLIER_LONG:
                scaling[spelling] = "longrope"
        if "original_max_position_embeddings" in scaling:
            given.setdefault("original_max_position_embeddings", scaling["original_max_position_embeddings"])


def published_language(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decoder's fields as published files hold them."""
    names = (*FIELDS, *OWN_FIELDS.get(settings.get("model_type", ""), ()))
    fields = {name: settings[name] for name in names if name in settings}
    rotary = dict(settings.get("rope_parameters") or {})
    fields["rope_theta"] = rotary.pop("rope_theta", 10000.0)
    if rotary.get("rope_type", "default") == "default":
        rotary = {}
    elif settings.get("model_type") == "phi3":  # its own code takes these three and no other
        rotary = {"type": "longrope", **{name: rotary[name] for name in ("short_factor", "long_factor")}}
    fields["rope_scaling"] = rotary or None
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
    """Return the ids of the tokens that begin, end and fill a text; what fills is masked, and 0 will do.

    Nothing begins a text for Phi-3, though its files name a token.
    """
    ids = {name: settings[name] for name in TOKENS}
    if settings.get("model_type") == "phi3":
        ids["bos_token_id"] = None
    return ids if ids["pad_token_id"] is not None else {**ids, "pad_token_id": 0}

"""The fields of decoders in files of settings: Llama's, Gemma's and Phi-3's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deixis.files.declared_fields import (
    ByKind,
    Either,
    Field,
    Group,
    Listed,
    Maybe,
    Number,
    OneOf,
    Truth,
    Whole,
)

WIDEST, DEEPEST, MOST_HEADS, MOST_WORDS = 1 << 16, 512, 1024, 1 << 22
LONGEST = 1 << 24  # positions
ACTIVATIONS = (
    *("silu", "swish", "relu", "gelu", "gelu_new", "gelu_fast", "gelu_python", "gelu_pytorch_tanh"),
    *("quick_gelu", "mish", "relu2", "tanh"),
)
TOKEN = Whole(0, MOST_WORDS)
TOKENS: dict[str, Field] = {
    "bos_token_id": Maybe(Either(TOKEN)),
    "eos_token_id": Maybe(Either(TOKEN)),
    "pad_token_id": Maybe(TOKEN),
}
SHARE = Number(0, 1)
FACTORS = Maybe(Listed(Number(0, 1e6, above=True), 1, 4096))
# The library knows more kinds; "dynamic" changes frequencies with every token, which the loop refuses.
ROTARY_KINDS = ("default", "linear", "yarn", "longrope", "llama3")
ROTARY = Group(
    {
        "rope_type": OneOf((*ROTARY_KINDS, "su")),
        "type": OneOf((*ROTARY_KINDS, "su")),
        "rope_theta": Number(1, 1e12),
        "factor": Maybe(Number(1, 1e6)),
        "low_freq_factor": Maybe(Number(0, 1e6, above=True)),
        "high_freq_factor": Maybe(Number(0, 1e6, above=True)),
        "original_max_position_embeddings": Maybe(Whole(1, LONGEST)),
        "short_factor": FACTORS,
        "long_factor": FACTORS,
        "attention_factor": Maybe(Number(0, 1e6, above=True)),
        "beta_fast": Maybe(Number(0, 1e6, above=True)),
        "beta_slow": Maybe(Number(0, 1e6, above=True)),
        "mscale": Maybe(Number(0, 1e6)),
        "mscale_all_dim": Maybe(Number(0, 1e6)),
        "truncate": Maybe(Truth()),
        "partial_rotary_factor": Maybe(Number(0, 1, above=True)),
    }
)
COMMON: dict[str, Field] = {
    "vocab_size": Whole(1, MOST_WORDS),
    "hidden_size": Whole(1, WIDEST),
    "intermediate_size": Whole(1, WIDEST * 8),
    "num_hidden_layers": Whole(1, DEEPEST),
    "num_attention_heads": Whole(1, MOST_HEADS),
    "num_key_value_heads": Maybe(Whole(1, MOST_HEADS)),
    "head_dim": Maybe(Whole(2, 4096, multiple=2)),
    "hidden_act": OneOf(ACTIVATIONS),
    "max_position_embeddings": Whole(1, LONGEST),
    "initializer_range": Number(0, 100),
    "rms_norm_eps": Number(0, 1),
    "attention_bias": Truth(),
    "attention_dropout": SHARE,
    "mlp_bias": Truth(),
    "tie_word_embeddings": Truth(),
    "use_cache": Truth(),
    "rope_theta": Number(1, 1e12),
    "rope_scaling": Maybe(ROTARY),
    "rope_parameters": Maybe(ROTARY),
    **TOKENS,
}
GEMMA: dict[str, Field] = {
    "hidden_activation": Maybe(OneOf(ACTIVATIONS)),
    "use_bidirectional_attention": Maybe(Truth()),
}
PHI_3: dict[str, Field] = {
    "original_max_position_embeddings": Whole(1, LONGEST),
    "partial_rotary_factor": Number(0, 1, above=True),
    "sliding_window": Maybe(Whole(1, LONGEST)),
    "embd_pdrop": SHARE,
    "resid_pdrop": SHARE,
}


def heads_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where heads don't share out the width or each other, or a token has no row."""
    heads, width, own = (fields.get(name) for name in ("num_attention_heads", "hidden_size", "head_dim"))
    if heads is not None and width is not None and own is None and (width % heads or width // heads % 2):
        raise ValueError(f"{heads} heads share a width of {width}; expected each to have an even part of it")
    groups = fields.get("num_key_value_heads")
    if heads is not None and groups is not None and heads % groups:
        raise ValueError(f"{groups} heads of keys and values are for {heads} heads; expected a divisor")
    rows = fields.get("vocab_size")
    for name in TOKENS:
        ids = fields.get(name)
        listed = ids if isinstance(ids, list | tuple) else [ids]
        if rows is not None and any(one is not None and one >= rows for one in listed):
            raise ValueError(f"{name} is {ids}, but vocab_size is {rows}")
    factors_fit(fields)


def factors_fit(fields: Mapping[str, Any]) -> None:
    """Raise ValueError where stretched positions lack a factor for each pair of a head's numbers."""
    heads, width, own = (fields.get(name) for name in ("num_attention_heads", "hidden_size", "head_dim"))
    for rotary in (fields.get(name) or {} for name in ("rope_scaling", "rope_parameters")):
        kind = rotary.get("rope_type", rotary.get("type", "default"))
        needed = {"linear": ("factor",), "yarn": ("factor",), "longrope": ("short_factor", "long_factor")}
        needed |= {"llama3": ("factor", "low_freq_factor", "high_freq_factor")}
        needed |= {"su": needed["longrope"]}
        if missing := [name for name in needed.get(kind, ()) if rotary.get(name) is None]:
            raise ValueError(f"positions of kind {kind!r} need {', '.join(missing)}")
        turned = own or (width // heads if width is not None and heads is not None else None)
        if turned is None:
            continue
        share = rotary.get("partial_rotary_factor") or fields.get("partial_rotary_factor") or 1.0
        pairs = int(turned * share) // 2
        if pairs < 1:
            raise ValueError(
                f"partial_rotary_factor {share} of a head of {turned} numbers turns none of them"
            )
        for name in ("short_factor", "long_factor"):
            factors = rotary.get(name)
            if factors is not None and len(factors) != pairs:
                raise ValueError(f"{name} has {len(factors)} numbers; expected {pairs}, one a pair")


LLAMA_GROUP = Group(COMMON, fits=heads_fit)
DECODER = ByKind(
    "model_type",
    {
        "llama": LLAMA_GROUP,
        "gemma": Group({**COMMON, **GEMMA}, fits=heads_fit),
        "phi3": Group({**COMMON, **PHI_3}, fits=heads_fit),
    },
)

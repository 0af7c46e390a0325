"""Decoders of the library ``transformers`` by their own settings: what published systems write with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from deixis.errors import UsageError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel


@dataclass(frozen=True)
class DecoderKind:
    """What differs between decoders of the library.

    name: that of its classes, in front of "Config" and "ForCausalLM"; the library is imported when one is
    used. scales_words: word vectors are multiplied by the root of the width. windowed: ``sliding_window`` in
    the configuration says how far back a token sees; others carry the field and don't look at it.
    """

    name: str
    scales_words: bool = False
    windowed: bool = False

    @property
    def config(self) -> type[PreTrainedConfig]:
        """The class of its configuration."""
        return getattr(import_module("transformers"), f"{self.name}Config")

    @property
    def model(self) -> type[PreTrainedModel]:
        """The class of the decoder with its head."""
        return getattr(import_module("transformers"), f"{self.name}ForCausalLM")


DECODERS = {
    "llama": DecoderKind("Llama"),
    "gemma": DecoderKind("Gemma", scales_words=True),
    "phi3": DecoderKind("Phi3", windowed=True),
}
# Vicuna v1.3 with one more word, the region token.
VICUNA_7B = {
    "model_type": "llama",
    "vocab_size": 32001,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def decoder_config(settings: Mapping[str, Any]) -> PreTrainedConfig:
    """Return the configuration that settings with a ``model_type`` describe.

    >>> decoder_config({"model_type": "llama", "hidden_size": 64}).hidden_size
    64
    """
    kind = settings.get("model_type")
    if kind not in DECODERS:
        raise UsageError(
            f"a decoder of model_type {kind!r} is not known; known: {', '.join(DECODERS)}. Is 'model_type' "
            "among the decoder's settings?"
        )
    fields = {key: with_today_names(value) for key, value in settings.items() if key != "model_type"}
    return DECODERS[kind].config(**fields)


def with_today_names(value: Any) -> Any:
    """Return a setting as the library reads it today: Phi-3's first files call its stretching "su".

    >>> with_today_names({"type": "su", "short_factor": [1.0]})
    {'type': 'longrope', 'short_factor': [1.0]}
    """
    if not isinstance(value, Mapping):
        return value
    renamed = {name: "longrope" for name in ("type", "rope_type") if value.get(name) == "su"}
    return {**value, **renamed}


def build_decoder(settings: Mapping[str, Any]) -> PreTrainedModel:
    """Return an untrained decoder with its head."""
    config = decoder_config(settings)
    return DECODERS[config.model_type].model(config)


def word_scale(decoder: PreTrainedModel) -> float:
    """Return what a decoder multiplies its word vectors by; vectors put between them need the same.

    Gemma's table is a module of its own that scales, so that vectors given from outside are taken as they
    are.
    """
    config = decoder.config
    return float(config.hidden_size**0.5) if DECODERS[config.model_type].scales_words else 1.0


def window_of(config: Any) -> int | None:
    """Return how far back a decoder sees, itself included; None if as far as there is anything.

    config: the library's, or that of another body with its names.
    """
    kind = DECODERS.get(getattr(config, "model_type", ""))
    return getattr(config, "sliding_window", None) if kind is not None and kind.windowed else None


def regime_switch(config: Any) -> int | None:
    """Return up to which length a decoder uses its first set of frequencies; None if it has but one.

    Long-rope, Phi-3's, takes another set as soon as a forward holds a later position. UsageError for
    decoders whose frequencies go on changing with the length: keys of different lengths would not fit
    together.
    """
    rope = getattr(config, "rope_parameters", None) or {}
    if "dynamic" in rope.get("rope_type", ""):
        raise UsageError(
            f"a decoder of rope_type {rope['rope_type']!r} changes its frequencies with every token; known "
            "are those that don't, and 'longrope'"
        )
    if rope.get("rope_type") != "longrope":
        return None
    return int(rope["original_max_position_embeddings"])

"""Small decoders by name: sizes of a Llama that any system's configuration can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deixis.errors import UsageError

if TYPE_CHECKING:
    from transformers import LlamaConfig


@dataclass(frozen=True)
class DecoderSize:
    """word_width: of the tied word vectors, as wide as the ones they start from; the rest is Llama's."""

    word_width: int
    width: int
    layers: int
    heads: int
    mlp_width: int


SIZES = {
    "small": DecoderSize(word_width=384, width=256, layers=4, heads=4, mlp_width=640),
    # For tests: it learns next to nothing, quickly.
    "tiny": DecoderSize(word_width=16, width=32, layers=2, heads=2, mlp_width=48),
}


def decoder_size(name: str) -> DecoderSize:
    """Return the size of that name; UsageError lists the known ones."""
    if name not in SIZES:
        raise UsageError(f"decoder {name!r} is not known; known decoders: {', '.join(SIZES)}")
    return SIZES[name]


def small_language(name: str, *, words: int, positions: int) -> dict[str, Any]:
    """Return the settings of a whole small decoder with words of its own, as configurations hold them.

    words: size of the vocabulary, whose vectors serve for reading and writing.

    >>> small_language("tiny", words=100, positions=64)["hidden_size"]
    32
    """
    size = decoder_size(name)
    return {
        "model_type": "llama",
        "vocab_size": words,
        "hidden_size": size.width,
        "intermediate_size": size.mlp_width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads,
        "max_position_embeddings": positions,
        "tie_word_embeddings": True,
        "initializer_range": 0.04,  # narrow: what attention adds must weigh against a token itself
    }


def llama_config(size: DecoderSize, *, positions: int) -> LlamaConfig:
    """Return the Llama configuration of a decoder that reads vectors and is given its words from outside."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=8,  # the decoder's own table is replaced by ``embedding.FactorisedEmbedding``
        hidden_size=size.width,
        intermediate_size=size.mlp_width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=positions,
        initializer_range=0.04,  # narrow: what attention adds must weigh against a token itself
        use_cache=True,
    )

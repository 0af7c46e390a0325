"""What ``generation_config.json`` beside weights may say; asking doesn't look at it, ``generate`` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.checkpoints.decoder_fields import LONGEST, MOST_WORDS, TOKEN, TOKENS
from deixis.checkpoints.files.settings import read_settings
from deixis.errors import BadWeights
from deixis.files.declared_fields import Field, Listed, Maybe, Number, Truth, Whole, checked

if TYPE_CHECKING:
    from transformers import GenerationConfig

FILE = "generation_config.json"
GENERATION: dict[str, Field] = {
    **TOKENS,
    "do_sample": Maybe(Truth()),
    "temperature": Maybe(Number(0, 1000)),
    "top_p": Maybe(Number(0, 1)),
    "top_k": Maybe(Whole(0, MOST_WORDS)),
    "max_length": Maybe(Whole(1, LONGEST)),
    "max_new_tokens": Maybe(Whole(1, LONGEST)),
    "num_beams": Maybe(Whole(1, 256)),
    "repetition_penalty": Maybe(Number(0, 1000, above=True)),
    "suppress_tokens": Maybe(Listed(TOKEN, 0, 10_000)),
}


def read_generation(folder: Path) -> GenerationConfig | None:
    """Return what a folder says of ``generate``; None where it has no such file."""
    fields = generation_fields(folder)
    if fields is None:
        return None
    from transformers import GenerationConfig

    try:
        return GenerationConfig(**fields)
    except Exception as fault:  # the library checks in its own way
        raise BadWeights(f"{folder / FILE} says nothing that can be used: {fault}") from fault


def generation_fields(folder: Path) -> dict[str, Any] | None:
    """Return the fields of a folder's file, each as declared; None where it has no such file."""
    path = folder / FILE
    return checked(read_settings(path), GENERATION, where=str(path)) if path.exists() else None

"""The model file of a sentencepiece tokenizer, opened with care."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.errors import BadWeights, MissingWeights, UsageError

LARGEST_MODEL = 16 * 2**20


def read_model(path: Path) -> bytes:
    """Return the content of a model file of reasonable size."""
    if not path.is_file():
        raise MissingWeights(f"there is no tokenizer file {str(path)!r}; expected a sentencepiece model")
    with path.open("rb") as stream:
        content = stream.read(LARGEST_MODEL + 1)
    if len(content) > LARGEST_MODEL:
        raise BadWeights(
            f"{path} has more than {LARGEST_MODEL:,} bytes; no sentencepiece model is that large"
        )
    return content


def open_model(content: bytes, path: Path) -> Any:
    """Return the sentencepiece processor of a model file's content."""
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError as fault:
        raise UsageError(
            "this tokenizer needs the package sentencepiece; install it with `pip install sentencepiece`"
        ) from fault
    processor = SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(content)
    except RuntimeError as fault:
        raise BadWeights(f"{path} is not a sentencepiece model, or it is damaged: {fault}") from fault
    if min(processor.bos_id(), processor.eos_id(), processor.unk_id()) < 0:
        raise BadWeights(
            f"{path} lacks a token for begin, end or unknown; expected a model of the Llama family"
        )
    return processor

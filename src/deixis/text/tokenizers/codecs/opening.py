"""Three ways in which texts become ids: sentencepiece (Vicuna), tokenizer.json (Llama-3, Gemma), word pieces.

Each opens from the files of a model's folder and writes them again. The last, over the vocabulary of the
embedded system, is for small models trained from nothing.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from deixis.errors import BadWeights, UsageError
from deixis.text.prompt_tokens import TextCodec
from deixis.text.tokenizers.codecs.defaults import FERRET, PAD_TOKEN, CodecDefaults
from deixis.text.tokenizers.codecs.piece_codec import PIECES_FILE, SentencePieceCodec
from deixis.text.tokenizers.codecs.tokenizer_codec import TokenizerCodec
from deixis.text.tokenizers.codecs.word_codec import WordCodec
from deixis.text.tokenizers.tokenizer_file import TOKENIZER_FILE

KINDS = ("sentencepieces", "tokenizer", "words")
__all__ = [
    "FERRET",
    "KINDS",
    "PAD_TOKEN",
    "PIECES_FILE",
    "TOKENIZER_FILE",
    "CodecDefaults",
    "SentencePieceCodec",
    "TokenizerCodec",
    "WordCodec",
    "open_codec",
]


def open_codec(kind: str, folder: str | PathLike[str], defaults: CodecDefaults = FERRET) -> TextCodec:
    """Return the codec of a model's folder. kind: "sentencepieces", "tokenizer" or "words".

    defaults: what holds where the folder doesn't say it, by default as in Ferret.
    Raises MissingWeights where the folder lacks the file, BadWeights for one that cannot be used.
    """
    path = Path(folder)
    if kind not in KINDS:
        raise UsageError(f"codec is {kind!r}; expected one of {', '.join(KINDS)}")
    try:
        if kind == "sentencepieces":
            return SentencePieceCodec.load(path, defaults)
        return TokenizerCodec.load(path, defaults) if kind == "tokenizer" else WordCodec.load(path)
    except UsageError as fault:  # what its files say, and no call
        if isinstance(fault.__cause__, ImportError):  # a package is missing
            raise
        raise BadWeights(f"{path}: its tokenizer cannot be used: {fault}") from fault

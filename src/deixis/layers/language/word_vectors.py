"""The packaged sentence encoder's word pieces and their vectors, from which vocabularies of ours start."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import load_file
from torch import Tensor

from deixis.layers.towers.pretrained import packaged_file
from deixis.text.tokenizers.word_pieces.vocabulary import Vocabulary

SOURCE = "minilm"
WORDS = "embeddings.word_embeddings.weight"
FREQUENT = 3000  # words of everyday English that questions may use, whether captions do or not


def source_pieces() -> dict[str, int]:
    """Return the word pieces of the sentence encoder, by id; MissingWeights where it isn't installed."""
    content = json.loads(packaged_file(SOURCE).with_name("tokenizer.json").read_text(encoding="utf-8"))
    return dict(content["model"]["vocab"])


def frequent_words(pieces: Mapping[str, int], *, count: int = FREQUENT) -> list[str]:
    """Return the most frequent whole words of the sentence encoder: its pieces are numbered by frequency.

    >>> frequent_words({"the": 1, "##s": 2, "[CLS]": 0, "a": 3}, count=1)
    ['the']
    """
    words = [piece for piece in sorted(pieces, key=pieces.__getitem__) if piece.isascii() and piece.isalpha()]
    return words[:count]


def word_vectors(vocabulary: Vocabulary, pieces: Mapping[str, int]) -> dict[int, Tensor]:
    """Return, by our ids, the word vectors (E,) of the pieces that the encoder knows, of spread 1."""
    table = load_file(packaged_file(SOURCE))[WORDS]
    table = table / table.std()
    return {own: table[pieces[piece]] for own, piece in enumerate(vocabulary.pieces) if piece in pieces}

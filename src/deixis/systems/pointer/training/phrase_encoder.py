"""The sentence encoder that training leans on: its word vectors start ours, its phrase vectors teach."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertModel

from deixis.layers.towers.pretrained import packaged_file
from deixis.text.tokenizers.vocabulary import Vocabulary, piece_tokenizer

WORDS = "embeddings.word_embeddings.weight"
BATCH = 256
FREQUENT = 3000  # words of everyday English that questions may use, whether captions do or not


def source_pieces() -> dict[str, int]:
    """Return the word pieces of the sentence encoder, by id."""
    content = json.loads(packaged_file("minilm").with_name("tokenizer.json").read_text(encoding="utf-8"))
    return dict(content["model"]["vocab"])


def frequent_words(pieces: Mapping[str, int], *, count: int = FREQUENT) -> list[str]:
    """Return the most frequent whole words of the sentence encoder: its pieces are numbered by frequency."""
    words = [piece for piece in sorted(pieces, key=pieces.__getitem__) if piece.isascii() and piece.isalpha()]
    return words[:count]


def word_vectors(vocabulary: Vocabulary, pieces: Mapping[str, int]) -> dict[int, Tensor]:
    """Return, by our ids, the word vectors (E,) of the pieces that the encoder knows, of spread 1."""
    table = load_file(packaged_file("minilm"))[WORDS]
    table = table / table.std()
    return {own: table[pieces[piece]] for own, piece in enumerate(vocabulary.pieces) if piece in pieces}


def phrase_vectors(phrases: Sequence[str], *, cache: Path) -> Tensor:
    """Return the unit vectors (n, 384) of phrases; kept in ``cache``, since they take a minute.

    The vector of a phrase is the mean of the encoder's last hidden states, made unit length.
    """
    key = hashlib.sha256("\n".join(phrases).encode()).hexdigest()
    if cache.is_file():
        stored = load_file(cache)
        if key in stored:
            return stored[key]
    source = packaged_file("minilm")
    model = BertModel(BertConfig(**json.loads(source.with_name("config.json").read_text(encoding="utf-8"))))
    model.load_state_dict(load_file(source), strict=False)
    model.eval()
    pieces = source_pieces()
    tokenizer = piece_tokenizer(pieces, unknown="[UNK]")
    rows = [[pieces["[CLS]"], *tokenizer.encode(p).ids[:62], pieces["[SEP]"]] for p in phrases]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    vectors = torch.zeros(len(rows), model.config.hidden_size)
    with torch.inference_mode():
        for first in range(0, len(order), BATCH):
            chosen = order[first : first + BATCH]
            longest = max(len(rows[i]) for i in chosen)
            ids = torch.tensor([rows[i] + [0] * (longest - len(rows[i])) for i in chosen])
            seen = torch.tensor([[1] * len(rows[i]) + [0] * (longest - len(rows[i])) for i in chosen])
            hidden = model(input_ids=ids, attention_mask=seen).last_hidden_state
            mean = (hidden * seen[..., None]).sum(dim=1) / seen.sum(dim=1, keepdim=True)
            vectors[torch.tensor(chosen)] = torch.nn.functional.normalize(mean, dim=-1)
    cache.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: vectors}, cache)
    return vectors

"""Vectors of phrases by the packaged sentence encoder, which serve training only; kept between runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertModel

from deixis.layers.language.word_vectors import SOURCE, source_pieces
from deixis.layers.towers.pretrained import packaged_file
from deixis.text.tokenizers.vocabulary import piece_tokenizer

BATCH = 256


def phrase_vectors(phrases: Sequence[str], *, cache: Path) -> Tensor:
    """Return the unit vectors (n, 384) of phrases; kept in ``cache``, since they take a minute.

    The vector of a phrase is the mean of the encoder's last hidden states, made unit length.
    """
    key = hashlib.sha256("\n".join(phrases).encode()).hexdigest()
    if cache.is_file():
        stored = load_file(cache)
        if key in stored:
            return stored[key]
    source = packaged_file(SOURCE)
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

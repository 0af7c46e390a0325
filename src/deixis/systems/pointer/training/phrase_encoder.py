"""Vectors of phrases by the packaged sentence encoder, which serve training only; kept between runs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertModel

from deixis.files.writing import replacing
from deixis.layers.language.word_vectors import SOURCE, source_pieces
from deixis.layers.towers.pretrained import packaged_file
from deixis.progress import SILENT, Progress
from deixis.text.tokenizers.word_pieces.vocabulary import piece_tokenizer

LOG = logging.getLogger("deixis")
BATCH = 256


def phrase_vectors(phrases: Sequence[str], *, cache: Path, progress: Progress = SILENT) -> Tensor:
    """Return the unit vectors (n, 384) of phrases; kept in ``cache``, since they take a minute.

    The vector of a phrase is the mean of the encoder's last hidden states, made unit length.
    """
    key = hashlib.sha256("\n".join(phrases).encode()).hexdigest()
    if (kept := kept_vectors(cache, key)) is not None:
        return kept
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
        starts = range(0, len(order), BATCH)
        for first in progress.track(starts, "vectors of phrases", unit=f"{BATCH} phrases"):
            chosen = order[first : first + BATCH]
            longest = max(len(rows[i]) for i in chosen)
            ids = torch.tensor([rows[i] + [0] * (longest - len(rows[i])) for i in chosen])
            seen = torch.tensor([[1] * len(rows[i]) + [0] * (longest - len(rows[i])) for i in chosen])
            hidden = model(input_ids=ids, attention_mask=seen).last_hidden_state
            mean = (hidden * seen[..., None]).sum(dim=1) / seen.sum(dim=1, keepdim=True)
            vectors[torch.tensor(chosen)] = torch.nn.functional.normalize(mean, dim=-1)
    with replacing(cache) as partial:
        save_file({key: vectors}, partial)
    return vectors


def kept_vectors(cache: Path, key: str) -> Tensor | None:
    """Return what an earlier run kept under a key; None where that isn't there, or was cut short."""
    if not cache.is_file():
        return None
    try:
        return load_file(cache).get(key)
    except SafetensorError as fault:
        LOG.warning("%s is damaged (%s) and made anew", cache, fault)
        return None

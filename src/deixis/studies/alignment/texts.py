"""The language model's side: the last hidden states of texts, as one vector each.

The paper takes Llama-3-8B-Instruct. Any decoder can be given as a folder; without one the packaged sentence
encoder (MiniLM) stands in, a language model of 22 million weights that reads in both directions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertConfig, BertModel

from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.initial_state import language_state
from deixis.checkpoints.language_settings import language_settings
from deixis.errors import BadWeights
from deixis.layers.alignment import unit_mean
from deixis.layers.language.causal_decoders import build_decoder
from deixis.layers.language.word_vectors import SOURCE, source_pieces
from deixis.layers.towers.pretrained import packaged_file
from deixis.progress import SILENT, Progress
from deixis.text.tokenizers.codecs.opening import CodecDefaults, open_codec
from deixis.text.tokenizers.word_pieces.vocabulary import piece_tokenizer

BATCH = 64
LONGEST = 254  # words of a text that are read, in pieces


@dataclass(frozen=True)
class LanguageModel:
    """A language model as the study reads it.

    what: a sentence about it, for the results. encode: a text's ids. states: from ids and mask (B, T) to the
    last hidden states (B, T, D).
    """

    name: str
    what: str
    encode: Callable[[str], list[int]]
    states: Callable[[Tensor, Tensor], Tensor]


def open_language(folder: Path | None) -> LanguageModel:
    """Return the decoder of a folder, or the packaged sentence encoder."""
    return packaged_sentences() if folder is None else decoder_of(folder)


def packaged_sentences() -> LanguageModel:
    """Return the packaged sentence encoder; its begin and end tokens count, as where it was trained."""
    source = packaged_file(SOURCE)
    settings = json.loads(source.with_name("config.json").read_text(encoding="utf-8"))
    model = BertModel(BertConfig(**settings), add_pooling_layer=False)
    model.load_state_dict(load_file(source), strict=False)
    model.eval()
    pieces = source_pieces()
    tokenizer = piece_tokenizer(pieces, unknown="[UNK]")

    def encode(text: str) -> list[int]:
        return [pieces["[CLS]"], *tokenizer.encode(text).ids[:LONGEST], pieces["[SEP]"]]

    def states(ids: Tensor, mask: Tensor) -> Tensor:
        return model(input_ids=ids, attention_mask=mask).last_hidden_state

    what = "all-MiniLM-L6-v2, a sentence encoder of 6 layers that reads in both directions; no Llama"
    return LanguageModel("minilm", what, encode, states)


def decoder_of(folder: Path) -> LanguageModel:
    """Return a Llama, Gemma or Phi-3 of a folder in the format of ``transformers``."""
    kind = "sentencepieces" if (folder / "tokenizer.model").is_file() else "tokenizer"
    codec = open_codec(kind, folder, CodecDefaults(region=None, guard="spaced pieces"))
    config = read_settings(folder / "config.json")
    settings = language_settings(config, open_shards(folder), where=str(folder / "config.json"))
    decoder: Any = build_decoder(settings)
    state = {key.removeprefix("language."): one for key, one in language_state(folder).items()}
    report = decoder.load_state_dict(state, strict=False)
    tied = {"lm_head.weight"} if settings["tie_word_embeddings"] else set()
    if missing := sorted(set(report.missing_keys) - tied):
        raise BadWeights(f"{folder}: {missing[0]} is missing ({len(missing)} in all)")
    decoder.eval()

    def encode(text: str) -> list[int]:
        return codec.encode(text)[:LONGEST]

    def states(ids: Tensor, mask: Tensor) -> Tensor:
        return decoder.model(input_ids=ids, attention_mask=mask).last_hidden_state

    return LanguageModel(folder.name, f"{settings['model_type']} of the folder {folder.name}", encode, states)


@torch.inference_mode()
def text_vectors(texts: Sequence[str], language: LanguageModel, *, progress: Progress = SILENT) -> Tensor:
    """Return the unit mean of each text's last hidden states (n, D); padding never counts."""
    rows = [language.encode(text) for text in texts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found: list[Tensor | None] = [None] * len(rows)
    for first in progress.track(range(0, len(order), BATCH), "reading texts", unit=f"{BATCH} texts"):
        chosen = order[first : first + BATCH]
        longest = max(len(rows[i]) for i in chosen)
        ids = torch.tensor([rows[i] + [0] * (longest - len(rows[i])) for i in chosen])
        mask = torch.tensor([[1] * len(rows[i]) + [0] * (longest - len(rows[i])) for i in chosen])
        states = language.states(ids, mask)
        vectors = unit_mean([one[: len(rows[i])].float() for i, one in zip(chosen, states, strict=True)])
        for i, vector in zip(chosen, vectors, strict=True):
            found[i] = vector
    return torch.stack([one for one in found if one is not None])

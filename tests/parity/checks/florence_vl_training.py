"""Checks of Florence-VL's training side: label masks, prompts as ids, and batches of similar lengths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch

from deixis.text.label_masking import IGNORED
from deixis.text.prompt_tokens import TextCodec, prompt_ids
from deixis.text.splicing import PICTURE_MARKER
from deixis.text.templates import Exchange, Template, find_template, picture_first
from deixis.text.tokenizers.codecs.opening import (
    CodecDefaults,
    SentencePieceCodec,
    TokenizerCodec,
    open_codec,
)
from deixis.training.order import even_chunks, grouped, length_grouped
from tests.parity.case import Case
from tests.parity.checks.ferret_text import both_maskings
from tests.parity.planning import Check

PLAIN = "plain_"  # how the cases call the template of captions, with the tokenizer's name behind it
TOKENIZERS = Path(__file__).with_name("toy_tokenizers")
PICTURE_TOKEN = "<IMAGE>"  # what stands for the picture's id where tokens are listed as texts
DEFAULTS = CodecDefaults(region=None, guard="spaced pieces")


def check_train_masks(case: Case) -> None:
    """Whole dialogues as ids and labels by both toy tokenizers, masked both ways; prompts as ids."""
    case.expect("image_token_index", ours=PICTURE_MARKER)
    case.expect("ignore_index", ours=IGNORED)
    for row in case.rows("training"):
        check_masks(row)
    for row in case.rows("inference"):
        codec, _ = toy(row, row.given("template"))
        ids = prompt_ids(row.given("prompt"), codec)
        row.expect("input_ids", ours=ids)
        row.expect("tokens", ours=token_texts(ids, codec))


def check_masks(row: Case) -> None:
    """One training dialogue."""
    name, seen = row.given("template"), row.given("has_image")
    turns = rewritten(row.given("conversation"), seen=seen)
    row.expect("after_image_move", ours=turns)
    codec, template = toy(row, name)
    said = [turn["value"] for turn in turns]
    said = said[1:] if turns and turns[0]["from"] == "gpt" else said
    dialogue: list[Exchange] = list(zip_longest(said[::2], said[1::2]))
    masked = both_maskings(
        dialogue, template, codec, picture=seen, max_length=longest(row, name.removeprefix(PLAIN))
    )
    row.expect("input_ids", ours=masked.ids)
    row.expect("labels", ours=masked.labels)
    learnt = [at for at, label in enumerate(masked.labels) if label != IGNORED]
    row.expect("supervised_positions", ours=learnt)
    row.expect("supervised_tokens", ours=token_texts([masked.ids[at] for at in learnt], codec))
    row.expect("warning", ours=masked.warning)


def rewritten(conversation: list[dict[str, str]], *, seen: bool) -> list[dict[str, str]]:
    """Return a record's turns with pictures in front, where it has pictures at all."""
    if not seen:
        return conversation
    return [{**turn, "value": picture_first(turn["value"])} for turn in conversation]


def toy(row: Case, name: str) -> tuple[TextCodec, Template]:
    """Return the toy tokenizer and the template of a case's name for both."""
    own = name.removeprefix(PLAIN)
    folder = tokenizer_folder(row, own)
    kind = "sentencepieces" if (folder / "tokenizer.model").is_file() else "tokenizer"
    return open_codec(kind, folder, DEFAULTS), find_template("plain" if name.startswith(PLAIN) else own)


def tokenizer_folder(row: Case, name: str) -> Path:
    """Return a toy tokenizer: the one beside the case, or else the copy that lies here."""
    beside = row.golden.path.parent / f"toy_{name}_tokenizer"
    return beside if beside.is_dir() else TOKENIZERS / f"toy_{name}_tokenizer"


def longest(row: Case, name: str) -> int:
    """Return the length from which the published program takes a dialogue for cut off."""
    settings = json.loads((tokenizer_folder(row, name) / "tokenizer_config.json").read_text(encoding="utf-8"))
    return int(settings["model_max_length"])


def token_texts(ids: Sequence[int], codec: TextCodec) -> list[str]:
    """Return every id as the text of its token."""
    if isinstance(codec, TokenizerCodec):
        known: Any = codec.tokenizer.id_to_token
    else:
        assert isinstance(codec, SentencePieceCodec)
        known = codec.pieces.token
    return [PICTURE_TOKEN if i == PICTURE_MARKER else known(i) for i in ids]


def check_length_sampler(case: Case) -> None:
    """Orders in groups of similar lengths, with and without kinds, and one group cut into chunks."""
    for row in case.rows("cases"):
        if row.has("split_to_even_chunks"):
            where = "split_to_even_chunks"
            indices, lengths = row.given(where, "indices"), row.given(where, "lengths")
            row.expect(where, "out", ours=even_chunks(indices, lengths, row.given(where, "num_chunks")))
            continue
        lengths, chunks = row.given("lengths"), row.given("world_size")
        size, seed = row.given("batch_size") * chunks, row.given("torch_manual_seed")
        kinds = length_grouped(
            lengths, size=size, chunks=chunks, chance=torch.Generator().manual_seed(seed), published=True
        )
        row.expect("modality_grouped", ours=kinds)
        own = [abs(length) for length in lengths]
        groups = grouped(own, size=size, chunks=chunks, chance=torch.Generator().manual_seed(seed))
        row.expect("length_grouped", ours=[i for group in groups for i in group])


TRAINING: dict[str, Check] = {
    "train_masks": Check(
        check_train_masks,
        given=(
            *("training/*/template", "training/*/name", "training/*/conversation", "training/*/has_image"),
            *("inference/*/template", "inference/*/prompt", "inference/*/name"),
        ),
    ),
    "length_sampler": Check(
        check_length_sampler,
        given=(
            *("world_size_note", "cases/*/lengths", "cases/*/batch_size", "cases/*/world_size"),
            *("cases/*/torch_manual_seed", "cases/*/split_to_even_chunks/indices"),
            *("cases/*/split_to_even_chunks/lengths", "cases/*/split_to_even_chunks/num_chunks"),
        ),
    ),
}

"""Tokenizer files with switches and steps that no prompt should meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import BadWeights, DeixisError
from deixis.text.tokenizers.codecs.opening import open_codec
from tests.text.tokenizers.made_codecs import header_codec, piece_codec, word_codec

TEXT = "what is near the red hat? "
TRUNCATION = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
PADDING = {
    "strategy": {"Fixed": 2_000_000_000},
    "direction": "Right",
    "pad_to_multiple_of": None,
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "<pad>",
}
MADE: dict[str, Callable[[Path], Any]] = {"tokenizer": header_codec, "words": lambda folder: word_codec()}


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize(
    "switches",
    [{"truncation": TRUNCATION}, {"padding": PADDING}, {"truncation": TRUNCATION, "padding": PADDING}],
    ids=lambda one: "+".join(one),
)
def test_cutting_and_filling_have_no_effect(kind: str, switches: dict[str, Any], tmp_path: Path) -> None:
    MADE[kind](tmp_path).save(tmp_path)
    plain = open_codec(kind, tmp_path)
    ids, spoken = plain.encode(TEXT), plain.decode(plain.encode(TEXT))
    edited(tmp_path, lambda content: content.update(switches))
    codec = open_codec(kind, tmp_path)
    assert codec.encode(TEXT) == ids and codec.decode(ids) == spoken
    codec.save(tmp_path)
    saved = json.loads((tmp_path / "tokenizer.json").read_text())
    assert saved["truncation"] is None and saved["padding"] is None


def template(*around: str) -> dict[str, Any]:
    """A post-processor that puts tokens where the names say, around the text "A"."""
    pieces = [
        {"Sequence": {"id": "A", "type_id": 0}}
        if name == "A"
        else {"SpecialToken": {"id": name, "type_id": 0}}
        for name in around
    ]
    names = {name for name in around if name != "A"}
    tokens = {name: {"id": name, "ids": [3], "tokens": [name]} for name in names}
    return {"type": "TemplateProcessing", "single": pieces, "pair": pieces, "special_tokens": tokens}


@pytest.mark.parametrize("around", [("A", "<a>"), ("<a>", "<b>", "A"), ("<a>", "A", "<b>")])
def test_tokens_put_around_every_text(around: tuple[str, ...], tmp_path: Path) -> None:
    header_codec(tmp_path).save(tmp_path)
    edited(tmp_path, lambda content: content.update(post_processor=template(*around)))
    with pytest.raises(DeixisError) as told:
        open_codec("tokenizer", tmp_path)
    assert told.value.exit_code == 4


def test_tokens_put_around_words_have_no_effect(tmp_path: Path) -> None:
    word_codec().save(tmp_path)
    ids = open_codec("words", tmp_path).encode(TEXT)
    edited(tmp_path, lambda content: content.update(post_processor=template("<user>", "A", "<end>")))
    assert open_codec("words", tmp_path).encode(TEXT) == ids


def replacing(content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": "e"}, "content": content}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize(
    "normalizer",
    [
        replacing("x" * 1_000_000),
        {"type": "Sequence", "normalizers": [{"type": "NFC"}, replacing("x" * 100)]},
        {"type": "Prepend", "prepend": "x" * 1_000_000},
        {"type": "NoSuchKind"},
        {"type": "Precompiled", "precompiled_charsmap": "AAAA"},
        {},
        3,
    ],
    ids=lambda one: str(one)[:30],
)
def test_odd_normalizers(kind: str, normalizer: Any, tmp_path: Path) -> None:
    MADE[kind](tmp_path).save(tmp_path)
    edited(tmp_path, lambda content: content.update(normalizer=normalizer))
    with pytest.raises(BadWeights):
        open_codec(kind, tmp_path)


@pytest.mark.parametrize("kind", MADE)
def test_an_id_without_end(kind: str, tmp_path: Path) -> None:
    MADE[kind](tmp_path).save(tmp_path)

    def far(content: dict[str, Any]) -> None:
        vocabulary = content["model"]["vocab"]
        vocabulary["".join(vocabulary)[:7] + "far"] = 4_000_000_000

    edited(tmp_path, far)
    with pytest.raises(BadWeights):
        open_codec(kind, tmp_path)


def test_words_of_another_make(tmp_path: Path) -> None:
    word_codec().save(tmp_path)
    edited(tmp_path, lambda content: content["normalizer"].update(lowercase=False))
    with pytest.raises(BadWeights, match="is no vocabulary of word pieces as deixis writes it"):
        open_codec("words", tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        *(
            "[" * 100_000,
            '{"region_token": 5}',
            '{"region_token": ["<r>"]}',
            '{"guard": 3}',
            '{"legacy": "no"}',
        ),
        *('{"add_bos_token": 1}', '{"added_tokens_decoder": {"999": {"content": " x "}}}', "\xff"),
        *('{"pad_token": "<nothing>"}', '{"added_tokens_decoder": {"1e9": {"content": "x"}}}'),
    ],
    ids=lambda text: text[:40],
)
def test_settings_of_other_types(settings: str, tmp_path: Path) -> None:
    piece_codec(tmp_path).save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_bytes(settings.encode("latin-1"))
    with pytest.raises(BadWeights):
        open_codec("sentencepieces", tmp_path)


@pytest.mark.parametrize("content", ['{"a": "b"}', '{"a": null}', '{" a ": 3}', "[]", "[" * 100_000])
def test_added_tokens_of_other_types(content: str, tmp_path: Path) -> None:
    piece_codec(tmp_path).save(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    (tmp_path / "added_tokens.json").write_text(content)
    with pytest.raises(BadWeights):
        open_codec("sentencepieces", tmp_path)

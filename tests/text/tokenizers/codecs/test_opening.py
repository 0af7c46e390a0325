"""The three codecs: their ids, their files, and what is wrong with files that aren't theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.text.prompt_tokens import TextCodec, prompt_ids
from deixis.text.splicing import PICTURE_MARKER
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.codecs.opening import (
    CodecDefaults,
    SentencePieceCodec,
    TokenizerCodec,
    open_codec,
)
from tests.text.tokenizers.made_codecs import (
    header_codec,
    header_tokenizer,
    phi_codec,
    piece_codec,
    unbegun_codec,
    word_codec,
)

TEXT = "a dog [12, 345, 6, 999] é."
MADE: dict[str, Callable[[Path], TextCodec]] = {
    "sentencepieces": piece_codec,
    "tokenizer": header_codec,
    "words": lambda folder: word_codec(),
}


@pytest.mark.parametrize("kind", MADE)
def test_a_saved_codec_is_the_same_codec(kind: str, tmp_path: Path) -> None:
    codec = MADE[kind](tmp_path)
    folder = tmp_path / "saved"
    folder.mkdir()
    codec.save(folder)
    again = open_codec(kind, folder)
    text = f"<s>{TEXT} <region_fea> b</s><|eot_id|>"
    assert again.encode(text) == codec.encode(text)
    assert len(again) == len(codec)
    for name in ("bos", "leading", "eos", "ends", "pad", "region", "specials"):
        assert getattr(again, name) == getattr(codec, name), name


@pytest.mark.parametrize("kind", MADE)
def test_ids_and_text(kind: str, tmp_path: Path) -> None:
    codec = MADE[kind](tmp_path)
    ids = codec.encode(TEXT)
    assert ids[0] == codec.bos and codec.encode(TEXT, begin=False) == ids[1:]
    assert len({codec.bos, codec.eos, codec.pad, codec.region}) == 4
    assert all(0 <= i < len(codec) for i in (*ids, codec.bos, codec.eos, codec.pad, codec.region))
    assert "[12, 345, 6, 999]" in codec.decode(ids)
    assert codec.decode([*ids, codec.eos]).strip() == codec.decode(ids).strip()
    assert codec.decode([]) == ""
    for wrong in (-200, len(codec)):
        with pytest.raises(UsageError, match="is not of this vocabulary"):
            codec.decode([wrong])
    with pytest.raises(UsageError, match="half a character at 1"):
        codec.encode("a\ud800")


def test_sentencepiece_text_survives_whole(tmp_path: Path) -> None:
    codec = piece_codec(tmp_path)
    assert codec.decode(codec.encode(TEXT)) == TEXT
    # Vicuna pads with its unknown token; the region token is the first one behind the model's own.
    assert (codec.pad, codec.region) == (0, len(codec) - 1)


def test_word_pieces_are_written_as_english(tmp_path: Path) -> None:
    codec = word_codec()
    ids = codec.encode("The dog [120, 300, 45, 999] is here. Look</s>")
    assert ids[-1] == codec.eos
    assert codec.decode(ids) == "The dog [120, 300, 45, 999] is here. Look"
    # What is a token in the vocabulary, but no mark of a template, is spelt.
    assert len(codec.encode("<place>", begin=False)) > 1


def test_an_older_folder_names_its_added_tokens_elsewhere(tmp_path: Path) -> None:
    first = piece_codec(tmp_path)
    size = len(first) - 1
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<region_fea>": size + 1, "<im_patch>": size}))
    codec = open_codec("sentencepieces", tmp_path)
    assert codec.region == size + 1
    # A plain string ate the white space beside it.
    assert codec.encode("a <region_fea> b") == codec.encode("a<region_fea>b")


def test_a_newer_folder_says_what_tokens_do_to_white_space(tmp_path: Path) -> None:
    added = AddedTokens(
        (
            AddedToken("<pad>", special=True, eats_left=False, eats_right=False),
            AddedToken("<region_fea>", special=True, eats_left=False, eats_right=False),
        )
    )
    piece_codec(tmp_path)
    codec = SentencePieceCodec(tmp_path / "tokenizer.model", added)
    codec.save(tmp_path)
    again = open_codec("sentencepieces", tmp_path)
    assert again.pad == codec.pad == len(codec) - 2
    assert again.encode("a <region_fea> b") == codec.encode("a <region_fea> b")
    assert again.encode("a <region_fea> b") != again.encode("a<region_fea>b")


def test_a_tokenizer_gets_the_tokens_it_lacks(tmp_path: Path) -> None:
    path = header_tokenizer(tmp_path)
    codec = TokenizerCodec(path, eos="<|eot_id|>")
    assert (codec.pad, codec.region) == (len(codec) - 2, len(codec) - 1)
    own = TokenizerCodec(path, eos="<|eot_id|>", pad="<|end_of_text|>")
    assert own.region == len(own) - 1 == codec.pad
    # Llama-3's template spells the beginning out, and the tokenizer adds its own.
    assert codec.encode("<|begin_of_text|>a")[:2] == [codec.bos, codec.bos]


@pytest.mark.parametrize("kind", MADE)
def test_a_folder_without_files(kind: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": {"content": "</s>"}}')
    with pytest.raises(MissingWeights, match="there is no tokenizer file"):
        open_codec(kind, tmp_path)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("content", ["", "{}", "not a tokenizer"])
def test_damaged_files(kind: str, content: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    for name in ("tokenizer.model", "tokenizer.json"):
        (tmp_path / name).write_text(content)
    with pytest.raises(BadWeights):
        open_codec(kind, tmp_path)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ("{", "is not valid JSON"),
        ("[]", "expected an object"),
        ('{"added_tokens_decoder": {"x": {}}}', "added_tokens_decoder cannot be read"),
        ('{"added_tokens_decoder": {"400": "<region_fea>"}}', "added_tokens_decoder cannot be read"),
    ],
)
def test_settings_that_cannot_be_read(settings: str, fault: str, tmp_path: Path) -> None:
    piece_codec(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(settings)
    with pytest.raises(BadWeights, match=fault):
        open_codec("sentencepieces", tmp_path)


def test_tokens_that_no_tokenizer_has(tmp_path: Path) -> None:
    path = header_tokenizer(tmp_path)
    with pytest.raises(BadWeights, match="has no token '<nothing>'"):
        TokenizerCodec(path, eos="<nothing>")
    with pytest.raises(BadWeights, match="names no eos_token"):
        open_codec("tokenizer", tmp_path)
    piece_codec(tmp_path)
    with pytest.raises(UsageError, match="padding '<nothing>' is no token"):
        SentencePieceCodec(tmp_path / "tokenizer.model", pad="<nothing>")
    with pytest.raises(UsageError, match="expected one of sentencepieces, tokenizer, words"):
        open_codec("bytes", tmp_path)


WITHOUT_REGIONS: dict[str, Callable[[Path], TextCodec]] = {
    "sentencepieces": phi_codec,
    "tokenizer": unbegun_codec,
}


@pytest.mark.parametrize("kind", WITHOUT_REGIONS)
def test_settings_of_other_systems_are_saved_too(kind: str, tmp_path: Path) -> None:
    codec = WITHOUT_REGIONS[kind](tmp_path)
    folder = tmp_path / "saved"
    folder.mkdir()
    codec.save(folder)
    again = open_codec(kind, folder, CodecDefaults(ends=("<nothing>",), guard="every piece", leading="x"))
    assert codec.bos is None and again.bos is None and codec.leading is not None
    assert again.region is None and len(again.ends) == 2 and again.eos == again.ends[0]
    for name in ("leading", "ends", "pad", "specials"):
        assert getattr(again, name) == getattr(codec, name), name
    text = "<|system|>\n a<|end|>\n<|user|>b <|begin_of_text|><|assistant|>"
    assert again.encode(text) == codec.encode(text) and len(again) == len(codec)
    assert again.encode("") == codec.encode("") == []
    assert "<region_fea>" not in again.specials


def test_marks_that_are_named_in_no_role_leave_a_bar_before_them(tmp_path: Path) -> None:
    codec = phi_codec(tmp_path)
    assert codec.pieces.token(codec.encode("<|system|>\nx")[0]) == "▁"
    assert codec.encode("<|endoftext|>") == [codec.eos]
    # They eat the line behind them, and an answer doesn't show them.
    assert codec.encode("<|system|>\nx") == codec.encode("<|system|>x")
    assert codec.decode(codec.encode("<|user|>x<|end|>")) == "x"


@pytest.mark.parametrize("legacy", [True, False])
def test_empty_text_has_no_tokens_but_its_beginning(tmp_path: Path, legacy: bool) -> None:
    piece_codec(tmp_path)
    codec = SentencePieceCodec(tmp_path / "tokenizer.model", legacy=legacy)
    assert codec.encode("") == [codec.bos] and codec.encode("", begin=False) == []
    assert prompt_ids("<image>x", codec)[:2] == [codec.bos, PICTURE_MARKER]


def test_a_published_folder_says_less_than_its_system_knows(tmp_path: Path) -> None:
    path = header_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "<|eot_id|>"}')
    size = len(open_codec("tokenizer", tmp_path)) - 2
    codec = open_codec("tokenizer", tmp_path, CodecDefaults(region=None, ends=("<|end_of_text|>",)))
    assert isinstance(codec, TokenizerCodec)
    assert (codec.region, len(codec)) == (None, size + 1)
    assert codec.ends == (codec.id_of("<|eot_id|>"), codec.id_of("<|end_of_text|>"))
    assert path.is_file()
    piece_codec(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(
        '{"eos_token": "</s>", "legacy": false, "add_bos_token": false}'
    )
    pieces = open_codec("sentencepieces", tmp_path, CodecDefaults(region=None, guard="spaced pieces"))
    assert isinstance(pieces, SentencePieceCodec)
    assert (pieces.pieces.guard, pieces.bos, pieces.ends) == ("spaced pieces", None, (2,))


def test_an_end_that_is_no_token(tmp_path: Path) -> None:
    piece_codec(tmp_path)
    with pytest.raises(UsageError, match="end '<nothing>' is no token"):
        SentencePieceCodec(tmp_path / "tokenizer.model", eos="<nothing>")
    with pytest.raises(BadWeights, match="has no token '<nothing>'"):
        TokenizerCodec(header_tokenizer(tmp_path), eos="<|eot_id|>", leading="<nothing>")


def test_a_beginning_that_only_the_text_spells_out_costs_later_pieces_a_token(tmp_path: Path) -> None:
    codec = unbegun_codec(tmp_path)
    a, b = codec.encode("ab")
    assert prompt_ids("a<image>ab", codec) == [a, PICTURE_MARKER, a, b]
    begin = codec.leading
    assert prompt_ids("<|begin_of_text|>a<image>ab", codec) == [begin, a, PICTURE_MARKER, b]


def test_regions_without_a_token_are_counted_too(tmp_path: Path) -> None:
    codec = phi_codec(tmp_path)
    assert prompt_ids("a", codec, regions=0) == codec.encode("a")
    with pytest.raises(UsageError, match="0 region tokens for 1 regions"):
        prompt_ids("a <region_fea>", codec, regions=1)


def test_a_region_token_that_a_network_wrote_is_shown(tmp_path: Path) -> None:
    """The published decoding leaves out tokens with a role of the tokenizer's own; this one has none."""
    codec = piece_codec(tmp_path)
    ids = [*codec.encode("a dog", begin=False), codec.region, codec.eos]
    assert codec.decode(ids) == "a dog <region_fea>"
    reader = codec.reader()
    assert "".join(reader.add(token) for token in ids) + reader.close() == codec.decode(ids)
    codec.save(tmp_path)
    again = open_codec("sentencepieces", tmp_path)
    assert again.decode(ids) == codec.decode(ids) and again.region == codec.region
    assert again.encode("a <region_fea> b") == codec.encode("a <region_fea> b")

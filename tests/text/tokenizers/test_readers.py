"""Ids to text one by one: the same text as at once, as early as it is certain, and in linear time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE

from deixis.errors import UsageError
from deixis.text.prompt_tokens import TextCodec, shared_length, text_and_places
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec, TokenizerCodec, WordCodec
from deixis.text.tokenizers.word_pieces.detokenise import capitalised, glued
from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL
from tests.text.tokenizers.made_codecs import LETTERS, header_codec, piece_codec, word_codec

BAR = "\u2581"
ADDED = AddedTokens(
    (
        AddedToken("<pad>", special=True),
        AddedToken("<roi>"),
        AddedToken("<p>", eats_left=False, eats_right=False),
        AddedToken("</s>", special=False),
    )
)
SEQUENCE = decoders.Sequence([decoders.Replace(BAR, " "), decoders.ByteFallback(), decoders.Fuse()])
STRIPPED = decoders.Sequence(
    [decoders.Replace(BAR, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 2, 0)]
)
UNUSUAL = decoders.Sequence([decoders.Replace(BAR, " "), decoders.WordPiece("##", True)])


def byte_token_codec(folder: Path, decoder: decoders.Decoder | None) -> TokenizerCodec:
    """Return a codec of characters, with tokens for bytes, a low bar for a space and a way to decode."""
    tokens = [
        "</s>",
        BAR,
        BAR * 2,
        BAR + "a",
        "a" + BAR,
        "é",
        *LETTERS,
        *(f"<0x{n:02X}>" for n in range(256)),
    ]
    tokenizer = Tokenizer(BPE({token: i for i, token in enumerate(tokens)}, []))
    if decoder is not None:
        tokenizer.decoder = decoder
    tokenizer.add_tokens(["<roi>", "<0x1F>x"])
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return TokenizerCodec(path, eos="</s>")


def added_codec(folder: Path, *, legacy: bool) -> SentencePieceCodec:
    piece_codec(folder)
    return SentencePieceCodec(folder / "tokenizer.model", ADDED, legacy=legacy)


MADE: dict[str, Callable[[Path], TextCodec]] = {
    "pieces": piece_codec,
    "pieces, more tokens": lambda folder: added_codec(folder, legacy=True),
    "pieces, not legacy": lambda folder: added_codec(folder, legacy=False),
    "bytes": header_codec,
    "byte tokens": lambda folder: byte_token_codec(folder, SEQUENCE),
    "byte tokens, a space dropped": lambda folder: byte_token_codec(folder, STRIPPED),
    "unusual": lambda folder: byte_token_codec(folder, UNUSUAL),
    "no decoder": lambda folder: byte_token_codec(folder, None),
    "words": lambda folder: word_codec(),
}
TEXTS = ("a dog's [1, 2].", "é 🐕\u0301", "  x", "'", "<0xE2>", "\ufffd", "the man - a t-shirt ( x ) ' y")


@pytest.fixture(scope="module")
def codecs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextCodec]:
    return {name: make(tmp_path_factory.mktemp("codec")) for name, make in MADE.items()}


def read(codec: TextCodec, ids: Sequence[int]) -> tuple[list[str], str]:
    reader = codec.reader()
    return [reader.add(i) for i in ids], reader.close()


def bytes_of(codec: TextCodec, content: bytes) -> list[int]:
    """Return the tokens of single bytes, where a codec has them."""
    if isinstance(codec, SentencePieceCodec):
        return [codec.pieces.ids[f"<0x{byte:02X}>"] for byte in content]
    if isinstance(codec, TokenizerCodec) and codec.tokenizer.token_to_id("<0x41>") is not None:
        return [codec.id_of(f"<0x{byte:02X}>") for byte in content]
    return [byte % len(codec) for byte in content]


@pytest.mark.parametrize("name", MADE)
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_one_by_one_is_the_same_as_at_once(
    codecs: dict[str, TextCodec], name: str, data: st.DataObject
) -> None:
    codec = codecs[name]
    some = st.one_of(
        st.lists(st.integers(0, len(codec) - 1), max_size=5),
        st.lists(st.integers(len(codec) - 6, len(codec) - 1), max_size=2),
        st.lists(st.integers(0, 12), max_size=3),
        st.sampled_from(TEXTS).map(lambda text: codec.encode(text, begin=False)),
        st.binary(max_size=5).map(lambda content: bytes_of(codec, content)),
        st.sampled_from(["🐕", "é", "\u2581a", "\u07ff"]).flatmap(
            lambda text: st.integers(1, 4).map(lambda end: bytes_of(codec, text.encode()[:end]))
        ),
    )
    ids = [i for part in data.draw(st.lists(some, max_size=8)) for i in part]
    parts, rest = read(codec, ids)
    assert "".join(parts) + rest == codec.decode(ids)


def decoded_at_once(codec: WordCodec, ids: Sequence[int]) -> str:
    """Return the text of word pieces by rules that see all of them."""
    pieces = [codec.vocabulary.pieces[i] for i in ids if i >= len(SPECIAL)]
    text = ""
    for place, piece in enumerate(pieces):
        close = piece == "]" or (place > 0 and (pieces[place - 1] == "[" or glued(pieces, place)))
        text += ("" if close or not text else " ") + (piece.removeprefix("##") if len(piece) > 2 else piece)
    return capitalised(text)


@given(data=st.data())
def test_words_are_spaced_as_if_all_were_known(data: st.DataObject) -> None:
    codec = word_codec()
    marks = [codec.vocabulary.pieces.index(piece) for piece in "'-[](),.?sx"]
    anything = st.integers(0, len(codec) - 1) | st.sampled_from(marks)
    ids = data.draw(st.lists(anything, max_size=14))
    assert codec.decode(ids) == decoded_at_once(codec, ids)


def text_and_places_slowly(ids: Sequence[int], codec: TextCodec) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of ids and what each wrote, by decoding every beginning of them."""
    text = codec.decode(ids)
    places, end = [], 0
    for count in range(1, len(ids) + 1):
        so_far = len(text) if count == len(ids) else shared_length(text, codec.decode(ids[:count]))
        places.append((end, max(end, so_far)))
        end = places[-1][1]
    return text, places


@pytest.mark.parametrize("name", ["pieces", "bytes", "byte tokens", "words"])
@given(
    parts=st.lists(st.sampled_from(["a dog", " [12, 3]", "é🐕", ".", " the cat", "<region_fea>"]), max_size=6)
)
@settings(deadline=None)
def test_tokens_wrote_what_they_add_to_all_before(
    codecs: dict[str, TextCodec], name: str, parts: list[str]
) -> None:
    codec = codecs[name]
    ids = codec.encode("".join(parts), begin=False)
    assert text_and_places(ids, codec) == text_and_places_slowly(ids, codec)


@pytest.mark.parametrize("name", MADE)
def test_ids_outside_the_vocabulary_are_refused(codecs: dict[str, TextCodec], name: str) -> None:
    codec = codecs[name]
    for wrong in (-200, -1, len(codec)):
        with pytest.raises(UsageError, match="is not of this vocabulary"):
            codec.reader().add(wrong)


@pytest.mark.parametrize("name", ["pieces", "bytes"])
def test_bytes_of_a_character_wait_for_each_other(codecs: dict[str, TextCodec], name: str) -> None:
    codec = codecs[name]
    dog = codec.encode("🐕", begin=False)[-4:]
    parts, rest = read(codec, [*dog, *dog[:2], *codec.encode("xy", begin=False)[-2:], *dog[:1]])
    broken = codec.decode([*codec.encode("x", begin=False)[-1:], *dog[:2]])[1:]
    assert parts == ["", "", "", "🐕", "", "", f"{broken}x", "y", ""]
    assert rest == "\ufffd"


def test_byte_tokens_in_a_row_wait_until_they_end(codecs: dict[str, TextCodec]) -> None:
    codec = codecs["byte tokens"]
    # A wrong byte makes all of its row unreadable; afterwards nothing has to wait.
    ids = [*bytes_of(codec, b"ab\xc3\xff\xff"), *codec.encode("x", begin=False)]
    assert read(codec, ids) == (["", "", "", "\ufffd" * 4, "\ufffd", "x"], "")


def test_an_apostrophe_waits_for_what_follows(codecs: dict[str, TextCodec]) -> None:
    codec = codecs["words"]
    assert isinstance(codec, WordCodec)
    ids = [codec.vocabulary.pieces.index(piece) for piece in ("a", "dog", "'", "s", "'", "'")]
    assert read(codec, ids) == (["A", " dog", "", "'s", "", " '"], " '")


@pytest.mark.parametrize("name", [name for name in MADE if name not in ("unusual", "no decoder")])
def test_plain_text_never_waits(codecs: dict[str, TextCodec], name: str) -> None:
    codec = codecs[name]
    ids = codec.encode("a dog [12, 345]", begin=False)
    parts, rest = read(codec, ids)
    assert rest == "" and [at for at, part in enumerate(parts) if not part] in ([], [0])


@pytest.mark.parametrize("name", MADE)
def test_long_answers_are_read_in_linear_time(codecs: dict[str, TextCodec], name: str) -> None:
    codec = codecs[name]
    sentence = codec.encode(" a dog's [12, 345, 6, 999] é🐕 and", begin=False)
    wild = [*bytes_of(codec, b"\xe2"), *sentence, codec.eos] * (20_000 // len(sentence))
    for ids in (wild, bytes_of(codec, "🐕".encode()) * 5_000, [0] * 20_000, [1] * 20_000, [2] * 20_000):
        started = time.perf_counter()
        parts, rest = read(codec, ids)
        assert time.perf_counter() - started < 1.5
        assert "".join(parts) + rest == codec.decode(ids)

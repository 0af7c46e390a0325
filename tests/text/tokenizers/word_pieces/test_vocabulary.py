"""The vocabulary: special tokens that only code may write, coverage of any word, saving and loading."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.text.tokenizers.word_pieces.vocabulary import (
    SPECIAL,
    UNKNOWN,
    Vocabulary,
    build_vocabulary,
    grown_vocabulary,
    is_character,
)

CHARACTERS = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
WORDS = ["[UNK]", "[PAD]", "dog", "place", "where", "the", "##s", "user", "rare"]
SOURCE = {
    piece: i for i, piece in enumerate(dict.fromkeys([*WORDS, *CHARACTERS, *(f"##{c}" for c in CHARACTERS)]))
}
TEXTS = ["where is the dog place user", "Where are the dogs place user", "rare"]
SPECIAL_IDS = {token.id for token in SPECIAL}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return build_vocabulary(TEXTS, SOURCE)


VOCABULARY = build_vocabulary(TEXTS, SOURCE)


def test_special_tokens_have_their_fixed_ids(vocabulary: Vocabulary) -> None:
    assert [vocabulary.pieces[token.id] for token in SPECIAL] == [token.text for token in SPECIAL]
    assert len({token.id for token in SPECIAL}) == len(SPECIAL)


@pytest.mark.parametrize("token", SPECIAL, ids=lambda token: token.text)
def test_a_typed_special_token_never_acts(vocabulary: Vocabulary, token: object) -> None:
    text = getattr(token, "text")  # noqa: B009
    for typed in (text, text.upper(), f"a{text}b", f" {text} ", text * 3):
        ids = vocabulary.encode(typed)
        assert ids and SPECIAL_IDS.isdisjoint(ids)


@given(
    parts=st.lists(st.sampled_from([token.text for token in SPECIAL] + [" ", "<", ">", "dog", "</", "<<"]))
)
def test_no_mix_of_typed_special_tokens_acts(parts: list[str]) -> None:
    assert SPECIAL_IDS.isdisjoint(VOCABULARY.encode("".join(parts)))


@given(text=st.text())
def test_no_text_becomes_a_special_token_but_the_unknown_one(text: str) -> None:
    assert (SPECIAL_IDS - {UNKNOWN.id}).isdisjoint(VOCABULARY.encode(text))


def test_pieces_are_kept_by_how_often_they_occur(vocabulary: Vocabulary) -> None:
    assert "dog" in vocabulary.pieces and "##s" in vocabulary.pieces
    assert "rare" not in vocabulary.pieces and "[PAD]" not in vocabulary.pieces
    assert "[" in vocabulary.pieces  # a character is always kept
    assert "rare" in build_vocabulary(TEXTS, SOURCE, at_least=1).pieces


def test_case_and_accents_do_not_matter_and_any_word_can_be_spelt(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("DOG Dóg") == vocabulary.encode("dog dog")
    assert [vocabulary.pieces[i] for i in vocabulary.encode("xyz")] == ["x", "##y", "##z"]
    assert vocabulary.encode("") == []
    assert vocabulary.encode("犬") == [UNKNOWN.id]


def test_saving_and_loading_gives_the_same_ids(vocabulary: Vocabulary, tmp_path: Path) -> None:
    vocabulary.save(tmp_path)
    again = Vocabulary.load(tmp_path)
    assert again.pieces == vocabulary.pieces and len(again) == len(vocabulary)
    for text in (*TEXTS, "<place> dogs?"):
        assert again.encode(text) == vocabulary.encode(text)


@pytest.mark.parametrize(
    ("piece", "is_one"), [("a", True), ("##a", True), ("ab", False), ("##", False), ("é", False)]
)
def test_is_character(piece: str, is_one: bool) -> None:
    assert is_character(piece) is is_one


def test_a_grown_vocabulary_keeps_its_ids(vocabulary: Vocabulary) -> None:
    larger = build_vocabulary(TEXTS, SOURCE, at_least=1)
    grown = grown_vocabulary(vocabulary, larger)
    assert grown.pieces[: len(vocabulary)] == vocabulary.pieces
    assert sorted(grown.pieces) == sorted(larger.pieces)
    assert grown.encode("rare dogs") != vocabulary.encode("rare dogs")
    assert grown.encode("where dogs") == vocabulary.encode("where dogs")
    assert grown_vocabulary(grown, vocabulary).pieces == grown.pieces

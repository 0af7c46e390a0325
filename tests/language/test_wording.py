"""Word pieces back to English, and where each piece went."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.language.wording import capitalised, joined

PIECES = [
    "a",
    "dog",
    "##s",
    "##",
    "#",
    "'",
    "s",
    "t",
    "-",
    ",",
    ".",
    "?",
    "(",
    ")",
    "3",
    "##7",
    "%",
    '"',
    "&",
]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        (["a", "dog", "."], "A dog."),
        (["two", "dog", "##s", "!"], "Two dogs!"),
        (["a", "man", "'", "s", "hat"], "A man's hat"),
        (["they", "don", "'", "t"], "They don't"),
        (["the", "dogs", "'", "ball"], "The dogs ' ball"),
        (["a", "t", "-", "shirt"], "A t-shirt"),
        (["a", "man", "(", "left", ")", ",", "old"], "A man (left), old"),
        (["yes", ".", "it", "is", "?", "no", "!"], "Yes. It is? No!"),
        (["3", "dogs"], "3 dogs"),
        (["##ing"], "Ing"),
        (["##"], "##"),
        (["a", "##"], "A ##"),
        (["50", "%"], "50%"),
    ],
)
def test_joined(pieces: list[str], text: str) -> None:
    assert joined(pieces)[0] == text


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_every_piece_is_where_it_is_said_to_be(pieces: list[str]) -> None:
    text, spans = joined(pieces)
    assert len(spans) == len(pieces)
    end = 0
    for piece, (start, stop) in zip(pieces, spans, strict=True):
        bare = piece.removeprefix("##") if len(piece) > 2 else piece
        assert text[start:stop].lower() == bare
        assert start - end in (0, 1) and text[end:start] in ("", " ")
        end = stop
    assert end == len(text)


@given(text=st.text(alphabet=st.characters(max_codepoint=127)))
def test_capitals_change_no_length_and_nothing_else(text: str) -> None:
    assert len(capitalised(text)) == len(text)
    assert capitalised(text).lower() == text.lower()
    assert capitalised(capitalised(text)) == capitalised(text)


@pytest.mark.parametrize("text", ["ßtreet", "ŉ dog", "ﬁne. ǰa"])
def test_letters_whose_capital_is_longer_shift_nothing(text: str) -> None:
    assert len(capitalised(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog? yes.", "A dog? Yes."),
        ("3 dogs. a cat", "3 dogs. A cat"),
        ('"a dog"', '"A dog"'),
        ("a t.v.", "A t.V."),
        ("...", "..."),
    ],
)
def test_sentences_begin_with_a_capital(text: str, expected: str) -> None:
    assert capitalised(text) == expected

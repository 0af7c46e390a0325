"""Word pieces back to English, and where each piece went."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.text.tokenizers.word_pieces.detokenise import Capitals, Joiner, capitalised, glued, joined

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


def joined_at_once(pieces: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """Return text and places by rules that see all pieces."""
    text, spans = "", []
    for index, piece in enumerate(pieces):
        bare = piece.removeprefix("##") if len(piece) > 2 else piece
        if text and not glued(pieces, index):
            text += " "
        spans.append((len(text), len(text) + len(bare)))
        text += bare
    return capitalised(text), spans


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_pieces_one_by_one_are_the_same_text(pieces: list[str]) -> None:
    joiner = Joiner()
    said = ""
    for placed, piece in enumerate(pieces, start=1):
        said += joiner.add(piece)
        # What is placed is said, and only an apostrophe isn't yet.
        assert joiner.places[-1:] == [] or joiner.places[-1][1] == len(said)
        assert len(joiner.places) in ((placed, placed - 1) if piece == "'" else (placed,))
    said += joiner.close()
    assert (said, joiner.places) == joined_at_once(pieces) == joined(pieces)


def test_only_an_apostrophe_waits() -> None:
    joiner = Joiner()
    assert [joiner.add(piece) for piece in ("a", "dog", "'", "s", "'", "x")] == [
        "A",
        " dog",
        "",
        "'s",
        "",
        " ' x",
    ]
    assert joiner.close() == ""


@given(parts=st.lists(st.text(alphabet=st.characters(max_codepoint=127), max_size=4)))
def test_capitals_of_parts_are_those_of_the_whole(parts: list[str]) -> None:
    capitals = Capitals()
    assert "".join(capitals.add(part) for part in parts) == capitalised("".join(parts))


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

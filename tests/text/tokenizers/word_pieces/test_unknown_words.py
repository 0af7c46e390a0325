"""Words that no piece of a vocabulary spells: found, counted, named in a sentence."""

from __future__ import annotations

import pytest

from deixis.text.tokenizers.word_pieces.unknown_words import count_words, listed, unknown_words
from tests.systems.pointer.tiny import tiny_vocabulary

VOCABULARY = tiny_vocabulary()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("where is the dog?", []),
        ("wher si teh windshieeld, café?", []),
        ("где собака?", ["где", "собака"]),
        ("the 狗 and the 狗", ["狗"]),
        ("Where is 🐕 ?", ["🐕"]),
        ("a" * 64, []),
        ("a" * 65, ["a" * 65]),
        ("", []),
    ],
)
def test_unknown_words(text: str, words: list[str]) -> None:
    assert unknown_words(text, VOCABULARY) == words


def test_counts_are_of_pieces_and_of_texts() -> None:
    count = count_words(["the dog", "собака here", "где собака"], VOCABULARY)
    assert (count.texts, count.unreadable, count.pieces, count.unknown) == (3, 2, 6, 3)
    assert count.words == ("собака", "где")
    nothing = count_words([], VOCABULARY)
    assert (nothing.texts, nothing.pieces, nothing.words) == (0, 0, ())


def test_a_sentence_shows_a_few() -> None:
    assert listed(["a", "b"]) == "“a”, “b”"
    assert listed([str(number) for number in range(9)]).endswith("“4” and 4 more")
    assert len(listed(["x" * 900])) < 30

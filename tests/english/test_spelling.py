"""A phrase that takes up a word of the question spells it as it was asked."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.english.inflection import forms
from deixis.english.spelling import Spelling, Word
from deixis.text.tokenizers.word_pieces.vocabulary import PLACE, SPECIAL

PIECES = (
    "a", "the", "an", "where", "is", "of", "wind", "tube", "tooth", "hand", "photo", "9", "dog", "t", "red",
    "##shi", "##eld", "##shield", "##s", "##bag", "##paste", "##pick", "##graph", "##7", "##es", "##x",
    "##e", "##h", "##i", "##l", "##d",
)  # fmt: skip
SPELLING = Spelling([*(token.text for token in SPECIAL), *PIECES])
FIRST = len(SPECIAL)


def ids(text: str) -> list[int]:
    """Return the ids of pieces written with spaces between them."""
    return [FIRST + PIECES.index(piece) for piece in text.split()]


def ways(question: str, said: str) -> set[str]:
    """Return the pieces that may follow, special tokens as "end"."""
    kept = SPELLING.kept(torch.zeros(FIRST + len(PIECES)), SPELLING.words(ids(question)), ids(said))
    allowed = kept.isfinite().nonzero().flatten().tolist()
    return {PIECES[token - FIRST] if token >= FIRST else "end" for token in allowed}


ALL = {"end", *PIECES}
WHOLE = {piece for piece in PIECES if not piece.startswith("##")} | {"end"}


@pytest.mark.parametrize(
    ("question", "said", "expected"),
    [
        ("where is the wind ##shield", "the wind", {"##shi", "##shield", "##s"}),
        ("where is the wind ##shield", "the wind ##shi", {"##eld", "##e"}),
        ("where is the wind ##shield", "wind", {"##shi", "##shield", "##s"}),
        ("where is the wind ##shield", "the wind ##shield", WHOLE | {"##s"}),
        ("where is the wind ##shield", "red wind", ALL),
        ("where is a tube of tooth ##paste", "a tube of tooth", {"##paste"}),
        ("where is the hand of the hand ##bag", "hand", WHOLE | {"##bag", "##s"}),
        ("where is 9 ##7", "9", {"##7"}),
        ("where is the dog", "the", WHOLE | {"##s"}),
        ("where is a ##x ##e", "a", WHOLE | {"##x"}),
        ("where is the dog", "red", ALL),
        ("where is the dog", "", ALL),
        ("", "the dog", ALL),
    ],
)
def test_what_may_follow(question: str, said: str, expected: set[str]) -> None:
    assert ways(question, said) == expected


def test_words_know_what_came_before_them() -> None:
    spelt = SPELLING.words([*ids("the wind ##shi ##eld of"), PLACE.id, *ids("##s a dog")])
    assert spelt == [
        Word("the", None),
        Word("windshield", None),
        Word("of", "windshield"),
        Word("##s", None),
        Word("a", "##s"),
        Word("dog", "##s"),
    ]


@pytest.mark.parametrize("one", ["glass", "man", "puppy", "leaf", "bus"])
def test_forms_are_english(one: str) -> None:
    many = {"glass": "glasses", "man": "men", "puppy": "puppies", "leaf": "leaves", "bus": "buses"}[one]
    assert forms(one) == forms(many) == {one, many}


def test_a_word_that_only_ends_in_s_has_no_singular() -> None:
    assert "furiou" not in forms("furious") and "dog" in forms("dogs")


TOKENS = st.lists(st.integers(0, FIRST + len(PIECES) - 1), max_size=8)
PHRASES = st.lists(st.integers(FIRST, FIRST + len(PIECES) - 1), max_size=6)
FORBIDDEN = st.sets(st.integers(0, FIRST + len(PIECES) - 1), max_size=FIRST + len(PIECES) - 1)


@given(question=TOKENS, said=PHRASES, forbidden=FORBIDDEN)
def test_a_way_on_is_always_left_and_none_is_added(
    question: list[int], said: list[int], forbidden: set[int]
) -> None:
    logits = torch.arange(FIRST + len(PIECES), dtype=torch.float32)
    logits[sorted(forbidden)] = float("-inf")
    kept = SPELLING.kept(logits, SPELLING.words(question), said)
    assert kept.isfinite().any()
    assert torch.equal(kept[kept.isfinite()], logits[kept.isfinite()])

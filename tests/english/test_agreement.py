"""What is said of a phrase agrees with it in number."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.english.agreement import Agreement
from deixis.text.tokenizers.word_pieces.vocabulary import FOUND, NOWHERE, PHRASE, PHRASE_END, PLACE, SPECIAL

PIECES = (
    "the", "a", "ski", "##s", "dog", "men", "group", "of", "bride", "groom", "and", "bus", "is", "are", "was",
    "were", "it", "they", "?", "yes", "no", ",", "here", "in", "glass",
)  # fmt: skip
FIRST = len(SPECIAL)
AGREEMENT = Agreement([*(token.text for token in SPECIAL), *PIECES])
MARKS = {"<": PHRASE.id, ">": PHRASE_END.id, "@": PLACE.id, "+": FOUND.id, "-": NOWHERE.id}
OF_ONE = {"is", "was", "it"}


def ids(text: str) -> list[int]:
    """Return ids of pieces with spaces between them: < > is a phrase, @ a place, + and - its verdict."""
    return [MARKS[piece] if piece in MARKS else FIRST + PIECES.index(piece) for piece in text.split()]


def ruled_out(said: str) -> set[str]:
    """Return the pieces that must not follow."""
    kept = AGREEMENT.kept(torch.zeros(FIRST + len(PIECES)), ids(said))
    return {PIECES[number - FIRST] for number in kept.isinf().nonzero().flatten().tolist()}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("< the ski ##s > @ +", OF_ONE),
        ("< ski ##s > @ -", OF_ONE),
        ("< men > @ + ? yes ,", OF_ONE),
        ("< men > @ - ? no , they", OF_ONE),
        ("< bride and groom > @ +", OF_ONE),
        ("< the ski ##s > @ + are", set()),
        ("< the dog > @ +", set()),
        ("< the bus > @ +", set()),
        ("< the glass > @ +", set()),
        ("< a group of men > @ +", set()),
        ("a dog in < ski ##s > @ +", set()),
        ("< a dog > @ + and < men > @ +", set()),
        ("< the ski ##s", set()),
        ("men", set()),
        ("", set()),
    ],
)
def test_words_of_one_thing_are_ruled_out_behind_a_plural(said: str, expected: set[str]) -> None:
    assert ruled_out(said) == expected


def test_a_vocabulary_without_are_is_left_alone() -> None:
    bare = Agreement([*(token.text for token in SPECIAL), "men", "is"])
    logits = torch.zeros(FIRST + 2)
    assert torch.equal(bare.kept(logits, [PHRASE.id, FIRST, PHRASE_END.id, PLACE.id, FOUND.id]), logits)


@given(
    said=st.lists(st.integers(0, FIRST + len(PIECES) - 1), max_size=9),
    forbidden=st.sets(st.integers(0, FIRST + len(PIECES) - 1), max_size=FIRST + len(PIECES) - 1),
)
def test_a_way_on_is_always_left(said: list[int], forbidden: set[int]) -> None:
    logits = torch.arange(FIRST + len(PIECES), dtype=torch.float32)
    logits[sorted(forbidden)] = float("-inf")
    assert AGREEMENT.kept(logits, said).isfinite().any()

"""Contractions: short forms of the verbs that questions are made of, and nothing else."""

from __future__ import annotations

import pytest

from deixis.english.contractions import without_contractions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What's {it}?", "What is {it}?"),
        ("WHERE'S the dog", "WHERE is the dog"),
        ("Where\N{RIGHT SINGLE QUOTATION MARK}s it?", "Where is it?"),
        ("isn't there a cat", "is not there a cat"),
        ("I can't see; you won't", "I can not see; you will not"),
        ("i'm sure they've gone, he'd say we'll see", "i am sure they have gone, he would say we will see"),
        ("let's see what they're at", "let us see what they are at"),
        ("where is the dog's bowl?", "where is the dog's bowl?"),
        ("the somewhat's hat", "the somewhat's hat"),
        ("girls' hats", "girls' hats"),
        ("", ""),
    ],
)
def test_without_contractions(text: str, expected: str) -> None:
    assert without_contractions(text) == expected
    assert without_contractions(expected) == expected

"""Head nouns, number and articles."""

from __future__ import annotations

import pytest

from deixis.language.nouns import head_noun, is_plural, with_article, words_of


@pytest.mark.parametrize(
    ("phrase", "noun"),
    [
        ("a dog", "dog"),
        ("A young girl in a pink dress", "girl"),
        ("two dogs, one of them brown", "dogs"),
        ("a man who runs", "man"),
        ("a T-shirt", "t-shirt"),
        ("a man's hat", "hat"),
        ("In the water", "water"),
        ("Dogs", "dogs"),
        ("a glass of beer", "glass"),
        ("", ""),
        (", the rest", ""),
        ("...", ""),
    ],
)
def test_head_noun(phrase: str, noun: str) -> None:
    assert head_noun(phrase) == noun


@pytest.mark.parametrize(
    ("phrase", "plural"),
    [
        ("a dog", False),
        ("dogs", True),
        ("people", True),
        ("two sheep", True),
        ("an old bus", False),
        ("the glass", False),
        ("tennis", False),
        ("one of the dogs", False),
        ("a group of people", False),
        ("", False),
    ],
)
def test_is_plural(phrase: str, plural: bool) -> None:
    assert is_plural(phrase) is plural


@pytest.mark.parametrize(
    ("noun", "answer"),
    [("dog", "a dog"), ("apple", "an apple"), ("dogs", "dogs"), ("people", "people"), ("", "")],
)
def test_with_article(noun: str, answer: str) -> None:
    assert with_article(noun) == answer


def test_words_of_keeps_hyphens_and_apostrophes_inside_words() -> None:
    assert words_of("It's a 3-year-old's 'toy' - yes.") == ["it's", "a", "3-year-old's", "toy", "yes"]

"""Head nouns, number and articles."""

from __future__ import annotations

import pytest

from deixis.english.nouns import head_noun, is_plural, short_name, with_article, words_of


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
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("umbrella", "an umbrella"),
        ("undershirt", "an undershirt"),
        ("uniform", "a uniform"),
        ("utensil", "a utensil"),
        ("hourglass", "an hourglass"),
        ("house", "a house"),
        ("dogs", "dogs"),
        ("people", "people"),
        ("", ""),
    ],
)
def test_with_article(noun: str, answer: str) -> None:
    assert with_article(noun) == answer


@pytest.mark.parametrize(
    ("noun", "answer"), [("water", "water"), ("ice", "ice"), ("dog", "a dog"), ("dogs", "dogs"), ("", "")]
)
def test_nouns_that_are_not_counted_take_no_article(noun: str, answer: str) -> None:
    assert with_article(noun, uncounted={"water", "ice"}) == answer


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("a young girl in a pink dress", "a girl"),
        ("The old umbrella", "an umbrella"),
        ("two dogs", "dogs"),
        ("the deep water", "water"),
        ("a glass of water", "a glass"),
        ("A large group of young people in a hall", "a group of people"),
        ("a pair of glasses", "a pair of glasses"),
        ("a crowd of people, all of them in red", "a crowd of people"),
        ("a bunch of water", "a bunch of water"),
        ("lots of people", "lots of people"),
        ("a group of", "a group"),
        ("a group", "a group"),
        ("a group in front of a row of trees", "a group"),
        ("", ""),
    ],
)
def test_short_names(phrase: str, name: str) -> None:
    assert short_name(phrase, uncounted={"water"}) == name


def test_words_of_keeps_hyphens_and_apostrophes_inside_words() -> None:
    assert words_of("It's a 3-year-old's 'toy' - yes.") == ["it's", "a", "3-year-old's", "toy", "yes"]

"""Phrases of pictures, and phrases that are surely not in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.phrasebook import (
    COUNTED,
    KNOWN,
    Phrasebook,
    caption_words,
    phrases_of,
    same_word,
    uncounted_nouns,
)
from deixis.english.nouns import head_noun
from deixis.regions.shapes import Box
from tests.toy.pack import write_toy_pack


def scene(
    *captions: tuple[str, dict[str, tuple[int, ...]]], exhaustive: frozenset[str] = frozenset()
) -> Scene:
    """A scene with things 1 (dog) and 2 (ball), and captions of (text, phrase -> things)."""
    things = (Thing(1, Box(0, 0, 9, 9), "dog"), Thing(2, Box(9, 9, 12, 12), "ball"))
    made = []
    for text, phrases in captions:
        starts = [(text.index(words), words, ids) for words, ids in phrases.items()]
        made.append(Caption(text, tuple(Phrase(at, at + len(w), w, things=ids) for at, w, ids in starts)))
    return Scene("7", PictureFile(Path("7.jpg")), 20, 20, things, tuple(made), (), exhaustive)


def test_the_things_of_a_phrase_are_those_of_all_captions() -> None:
    found = phrases_of(scene(("A dog runs.", {"A dog": (1,)}), ("a dog and it", {"a dog": (1, 2), "it": ()})))
    assert found == {"a dog": (1, 2)}


def test_exhaustive_categories_are_phrases() -> None:
    assert phrases_of(scene(exhaustive=frozenset({"dog", "cat"}))) == {"the dog": (1,)}


def test_caption_words_are_those_of_captions_and_categories() -> None:
    assert caption_words(scene(("A man's hat.", {}))) == {"a", "man's", "hat", "dog", "ball"}


@pytest.mark.parametrize(
    ("noun", "words", "same"),
    [
        ("dog", {"dogs"}, True),
        ("dogs", {"dog"}, True),
        ("boxes", {"box"}, True),
        ("box", {"boxes"}, True),
        ("dog", {"hotdog", "cat"}, False),
    ],
)
def test_same_word(noun: str, words: set[str], same: bool) -> None:
    assert same_word(noun, frozenset(words)) is same


def test_absent_phrases_are_phrases_of_other_pictures(tmp_path: Path) -> None:
    scenes = read_pack(write_toy_pack(tmp_path), "train")
    book = Phrasebook(scenes)
    every = {text for one in scenes for text in phrases_of(one)}
    rng = np.random.default_rng(0)
    found = 0
    for one in scenes:
        words = caption_words(one)
        for _ in range(20):
            text = book.absent(words, rng)
            if text is not None:
                found += 1
                assert text in every and not same_word(head_noun(text), words)
    assert found > 50


def test_absent_is_none_where_everything_is_there_or_nothing_known() -> None:
    only = scene(("a dog", {"a dog": (1,)}))
    rng = np.random.default_rng(0)
    assert Phrasebook([only]).absent(caption_words(only), rng) is None
    assert Phrasebook([]).absent(frozenset(), rng) is None


MANY = round(1 / COUNTED)


@pytest.mark.parametrize(
    ("counts", "uncounted"),
    [
        ({"the water": KNOWN}, True),
        ({"the water": KNOWN - 1}, False),  # too few to tell
        ({"the water": MANY, "a water": 1}, True),
        ({"the water": MANY - 1, "a water": 1}, False),
        ({"the water": KNOWN, "a deep water": KNOWN}, False),
        ({"the water": KNOWN, "an icy water": KNOWN}, False),
        ({"water": 5, "cold water": 2, "the water in a pond": 1}, True),
        ({"the water": KNOWN, "a glass of water": 90}, True),
        ({"another water": KNOWN}, True),
        ({}, False),
    ],
    ids=str,
)
def test_nouns_that_hardly_ever_follow_an_article_are_not_counted(
    counts: dict[str, int], uncounted: bool
) -> None:
    assert ("water" in uncounted_nouns(counts)) is uncounted


def test_plurals_say_nothing_about_articles() -> None:
    assert uncounted_nouns({"dogs": 50, "two dogs": 50, "the people": 50}) == frozenset()


def test_short_names_follow_how_the_phrases_of_captions_are_worded() -> None:
    water = [scene((f"{text} here", {text: (1,)})) for text in ["the water", "clear water"] * KNOWN]
    book = Phrasebook([*water, scene(("a dog", {"a dog": (1,)}))])
    assert book.uncounted == {"water"}
    assert [book.name(text) for text in ("the water", "a big dog", "two dogs")] == ["water", "a dog", "dogs"]


def test_names_of_categories_say_nothing_about_articles() -> None:
    """No caption worded "the dog" here."""
    book = Phrasebook([scene(exhaustive=frozenset({"dog"}))] * (KNOWN + 1))
    assert book.texts == ["the dog"] and book.name("the dog") == "a dog"

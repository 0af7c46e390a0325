"""All phrases of a training set: what can be asked of a picture, and what is surely not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from deixis.data.scene import Scene
from deixis.english.inflection import forms
from deixis.english.nouns import head_noun, is_plural, short_name, words_of


def phrases_of(scene: Scene) -> dict[str, tuple[int, ...]]:
    """Return the distinct lower-cased phrases of a picture with the things that any caption means by them.

    A phrase that no caption uses with a box is left out: what it means is not known.
    """
    things: dict[str, set[int]] = {}
    for caption in scene.captions:
        for phrase in caption.phrases:
            if phrase.things:
                things.setdefault(phrase.text.lower(), set()).update(phrase.things)
    for thing in scene.things:
        if thing.category in scene.exhaustive:
            things.setdefault(f"the {thing.category}", set()).add(thing.id)
    return {text: tuple(sorted(ids)) for text, ids in things.items()}


def nouns_of(scene: Scene) -> dict[int, frozenset[str]]:
    """Return the head nouns of all phrases that name a thing, for every thing that some phrase names."""
    nouns: dict[int, set[str]] = {}
    for phrase, things in phrases_of(scene).items():
        for thing in things:
            nouns.setdefault(thing, set()).add(head_noun(phrase))
    return {thing: frozenset(names) for thing, names in sorted(nouns.items())}


COUNTED = 0.04  # a noun is counted if "a" or "an" opens at least this share of the phrases it heads
KNOWN = 8  # ... and nothing is known of one that heads fewer phrases


class Phrasebook:
    """Draws phrases that a picture does not contain, worded as those of other pictures; knows their nouns.

    ``uncounted``: the nouns that take no article, such as "water", judged by how these phrases are worded.
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        counts = Counter(text for scene in scenes for text in phrases_of(scene))
        self.texts = sorted(counts)
        self.heads = [head_noun(text) for text in self.texts]
        weights = np.array([counts[text] for text in self.texts], dtype=np.float64)
        self.cumulative = np.cumsum(weights / max(weights.sum(), 1.0))
        self.uncounted = uncounted_nouns(worded_by_people(scenes))

    def name(self, phrase: str) -> str:
        """Return the short name that a phrase gives: its head noun, with an article where it takes one."""
        return short_name(phrase, uncounted=self.uncounted)

    def absent(self, present_words: frozenset[str], rng: np.random.Generator) -> str | None:
        """Draw a phrase whose head noun is none of the picture's words; None if twenty draws all are.

        Half of the draws are uniform over distinct phrases, half by how often they occur.
        """
        if not self.texts:
            return None
        for _ in range(20):
            if rng.random() < 0.5:
                index = int(rng.integers(len(self.texts)))
            else:
                index = min(int(np.searchsorted(self.cumulative, rng.random())), len(self.texts) - 1)
            head = self.heads[index]
            if head and not same_word(head, present_words):
                return self.texts[index]
        return None


def worded_by_people(scenes: Sequence[Scene]) -> Counter[str]:
    """Return the lower-cased phrases that captions place, with in how many pictures they do.

    The names of exhaustive categories are left out: their "the" is ours and says nothing about the noun.
    """
    return Counter(
        text
        for scene in scenes
        for text in {p.text.lower() for caption in scene.captions for p in caption.phrases if p.things}
    )


def uncounted_nouns(counts: Mapping[str, int]) -> frozenset[str]:
    """Return the nouns of phrases (with how often each occurs) that hardly ever follow "a" or "an"."""
    all_of: Counter[str] = Counter()
    with_a: Counter[str] = Counter()
    for text, count in counts.items():
        if not is_plural(text):
            head = head_noun(text)
            all_of[head] += count
            with_a[head] += count * text.startswith(("a ", "an "))
    return frozenset(
        noun for noun, count in all_of.items() if count >= KNOWN and with_a[noun] < COUNTED * count
    )


def caption_words(scene: Scene) -> frozenset[str]:
    """Return every word that a caption or category of the picture uses."""
    words = {word for caption in scene.captions for word in words_of(caption.text)}
    return frozenset(words | {word for thing in scene.things for word in words_of(thing.category)})


def same_word(noun: str, words: frozenset[str]) -> bool:
    """Tell whether a noun, its singular or its plural is among ``words``.

    >>> same_word("men", frozenset(("man",))), same_word("glass", frozenset(("glasses",)))
    (True, True)
    """
    return not forms(noun).isdisjoint(words)

"""Noun phrases that say how a thing stands to another: "a man in a red hat", "a dog running through snow".

Captions place the phrases "a man" and "a red hat" apart; what stands between them says which man is meant.
Such phrases are how people refer to one of several things, and what they ask yes/no questions about.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import same_word
from deixis.english.nouns import head_noun, words_of
from deixis.english.word_classes import PREPOSITIONS

LONGEST_LINK = 4  # words between the two phrases
DOERS = frozenset(["people", "animals", "vehicles"])  # what "running", "holding" can be said of
WORN = frozenset(["clothing", "bodyparts"])  # what follows these is said of who wears them, mostly
AUXILIARIES = ("is", "are", "who is", "who are", "that is", "that are")
LINKING = frozenset(["dressed", "surrounded", "covered", "seated", "filled", "made", "leashed", "tied"])
NOT_OF_A_PLACE = frozenset(["as", "for", "during", "about", "like", "via", "of", "after", "besides"])


@dataclass(frozen=True)
class Qualified:
    """A phrase of a caption and what follows it: ``head`` "a man", ``tail`` "in a red hat".

    ``things`` are the ids of what the head means; ``noun`` is the tail's, "hat".
    """

    head: str
    tail: str
    noun: str
    things: tuple[int, ...]

    @property
    def text(self) -> str:
        """Head and tail: a noun phrase."""
        return f"{self.head} {self.tail}"


def qualified_phrases(scene: Scene) -> Mapping[str, Qualified]:
    """Return the distinct lower-cased qualified phrases of a picture with all things that any caption means.

    A head that no caption places is left out. "is" and "are" between the phrases are left out of the tail.
    """
    found: dict[str, Qualified] = {}
    for caption in scene.captions:
        phrases = sorted(caption.phrases, key=lambda phrase: phrase.start)
        for index, (first, second) in enumerate(itertools.pairwise(phrases)):
            link = linking(caption.text[first.end : second.start])
            noun = head_noun(second.text)
            if not first.things or not link or not noun or not belongs(link, first.types, opens=index == 0):
                continue
            head = first.text.lower()
            made = Qualified(head, f"{link} {second.text.lower()}", noun, first.things)
            things = {*made.things, *(found[made.text].things if made.text in found else ())}
            found[made.text] = Qualified(head, made.tail, noun, tuple(sorted(things)))
    return found


def linking(between: str) -> str:
    """Return the words that tie two phrases to one, lower-cased; nothing where they don't.

    >>> linking(" is sitting on "), linking(" wearing "), linking(" and "), linking(" jumps over ")
    ('sitting on', 'wearing', '', '')
    """
    text = between.strip().lower()
    for auxiliary in AUXILIARIES:
        text = text.removeprefix(f"{auxiliary} ")
    words = words_of(text)
    if not words or len(words) > LONGEST_LINK or " ".join(words) != text:
        return ""
    first, *others = words
    opens = first in PREPOSITIONS - NOT_OF_A_PLACE or first in LINKING or participle(first)
    goes_on = all(word in PREPOSITIONS or word in ("front", "top", "each", "together") for word in others)
    return text if opens and goes_on else ""


def belongs(link: str, types: Collection[str], *, opens: bool) -> bool:
    """Tell whether what follows a phrase of these types is said of it, rather than of a phrase before it.

    In "a girl in a black shirt staring at a fire" the shirt does not stare; in "jumping off a rock on a bike"
    it isn't the rock that is on a bike. opens: whether the phrase is the caption's first.

    >>> belongs("staring at", ["people"], opens=False), belongs("in", ["clothing"], opens=False)
    (True, False)
    """
    if not DOERS.isdisjoint(types):
        return True
    return opens and WORN.isdisjoint(types) and not participle(link.split()[0])


def participle(word: str) -> bool:
    """Tell whether a word says what something is doing: "wearing".

    Words of up to five letters ("bring", "lying") are left out: too many of them are something else.
    """
    return word.endswith("ing") and len(word) > len("bring") and word not in PREPOSITIONS


def all_qualified(scenes: Sequence[Scene]) -> tuple[Qualified, ...]:
    """Return every qualified phrase of these scenes once, for their halves to be put to other halves."""
    return tuple({made.text: made for scene in scenes for made in qualified_phrases(scene).values()}.values())


def surely_absent(
    own: Sequence[Qualified], others: Sequence[Qualified], words: frozenset[str], rng: np.random.Generator
) -> Qualified | None:
    """Return a phrase of which only one half is in the picture; None after twenty draws.

    own: this picture's. others: any pictures'. words: every word that captions of this picture use; the half
    that is taken from another picture has a noun that is none of them.
    """
    if not own or not others:
        return None
    for _ in range(20):
        mine, other = own[int(rng.integers(len(own)))], others[int(rng.integers(len(others)))]
        if rng.random() < 0.5:
            if not same_word(other.noun, words):
                return Qualified(mine.head, other.tail, other.noun, ())
        elif (noun := head_noun(other.head)) and not same_word(noun, words):
            return Qualified(other.head, mine.tail, mine.noun, ())
    return None

"""What is not in a picture, mined so that a system learns to say no (You et al., 2023, robustness).

Image-conditioned: a category that is absent from a picture whose categories are known exhaustively.
Semantics-conditioned: a phrase of the picture with one word changed into an easily confused one. The paper
let a language model choose that word; here it is a table, whose groups exclude each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from deixis.data.scene import Phrase, Scene
from deixis.data.sources.visual_genome import is_relation
from deixis.data.synthesis.phrasebook import caption_words, same_word
from deixis.english.articles import indefinite
from deixis.english.word_classes import PREPOSITIONS, RELATIVES

# Whatever fits one word of a group does not fit the others. Names are changed where they are what a phrase
# speaks of, describing words where such a name follows.
PEOPLE: tuple[tuple[str, ...], ...] = (
    ("man", "woman"), ("men", "women"), ("boy", "girl"), ("boys", "girls"), ("gentleman", "lady"),
)  # fmt: skip
NAMES: tuple[tuple[str, ...], ...] = (
    *PEOPLE,
    ("dog", "cat", "horse", "cow", "sheep", "goat", "elephant", "bear"),
    ("dogs", "cats", "horses", "cows", "goats", "elephants", "bears"),
    ("car", "bus", "truck", "train", "tractor"), ("cars", "buses", "trucks", "trains"),
    ("bicycle", "motorcycle", "scooter"), ("bicycles", "motorcycles"),
    ("boat", "airplane", "helicopter"), ("surfboard", "snowboard", "skateboard"),
    ("guitar", "violin", "drum", "trumpet"), ("shorts", "trousers", "skirt"), ("hat", "helmet"),
    ("fork", "spoon", "knife"), ("apple", "banana", "orange"), ("bench", "sofa", "bed"),
    ("river", "road"), ("snow", "sand"),
)  # fmt: skip
DESCRIBING: tuple[tuple[str, ...], ...] = (
    ("red", "blue", "green", "yellow", "purple", "pink", "orange", "black", "white", "brown"),
    ("two", "three", "four", "five"), ("young", "elderly"), ("left", "right"), ("open", "closed"),
    ("empty", "full"), ("standing", "sitting", "lying"), ("male", "female"), ("wooden", "metal", "plastic"),
    ("tennis", "baseball", "soccer", "basketball"),
)  # fmt: skip
# Words that may mean people of either kind: where a picture has them, nobody is surely absent.
ANYONE = frozenset([
    "people", "person", "persons", "crowd", "group", "couple", "family", "team", "child", "children",
    "kid", "kids", "baby", "babies", "adult", "adults", "player", "players", "rider", "worker",
    "workers", "guy", "guys", "individual", "individuals", "spectators", "band", "audience",
])  # fmt: skip
WORD = re.compile(r"[A-Za-z]+")
STOPS = PREPOSITIONS | RELATIVES


@dataclass(frozen=True)
class Negative:
    """Words that fit nothing in a picture; `near`: the phrase that they were made of, with what it means."""

    text: str
    near: Phrase | None = None


def absent_category(scene: Scene, rng: np.random.Generator) -> Negative | None:
    """Draw a category that is surely not in the picture; None where nothing is known to be absent."""
    words = caption_words(scene)
    present = {thing.category for thing in scene.things}
    missing = [name for name in sorted(scene.exhaustive - present) if not same_word(name, words)]
    return Negative(missing[int(rng.integers(len(missing)))]) if missing else None


def confused_phrase(scene: Scene, rng: np.random.Generator) -> Negative | None:
    """Draw a phrase of the picture with one word changed, so that it fits nothing there; None if none can be.

    The new word is in no caption of the picture and no category of it, and so is none of its forms. What
    follows a preposition is not changed.
    """
    words = caption_words(scene)
    found = [
        Negative(text, phrase)
        for caption in scene.captions
        for phrase in caption.phrases
        if phrase.things and not is_relation(caption)
        for text in confusions(phrase.text, words)
    ]
    return found[int(rng.integers(len(found)))] if found else None


def confusions(phrase: str, words: frozenset[str]) -> list[str]:
    """The phrase with one of its words changed, every way that brings in none of `words`.

    >>> confusions("Two men on a red bus", frozenset({"women", "two", "men", "four", "five"}))
    ['Three men on a red bus']
    """
    found = []
    spoken = list(WORD.finditer(phrase))
    after = next((n for n, m in enumerate(spoken) if m[0].lower() in STOPS), len(spoken))
    for place, match in enumerate(spoken[:after]):
        word = match[0].lower()
        for group in NAMES if place == after - 1 else DESCRIBING:
            if group in PEOPLE and not ANYONE.isdisjoint(words):
                continue
            for other in group if word in group else ():
                if other != word and not same_word(other, words):
                    new = other.capitalize() if match[0][0].isupper() else other
                    found.append(mended(phrase[: match.start()], new, phrase[match.end() :]))
    return found


def mended(before: str, word: str, after: str) -> str:
    """The three parts as one, with the article that the new word needs.

    >>> mended("a ", "orange", " hat")
    'an orange hat'
    """
    match = re.search(r"\b([Aa])n? $", before)
    if match:
        before = f"{before[: match.start()]}{match[1]}{indefinite(word)[1:]} "
    return before + word + after

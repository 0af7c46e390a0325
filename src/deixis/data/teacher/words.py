"""The words that a dataset has for the things of a picture, and which things a dialogue can be about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from deixis.data.scene import Scene, Thing
from deixis.data.sources.visual_genome import REGION, is_relation
from deixis.english.nouns import words_of
from deixis.english.word_classes import DETERMINERS

T = TypeVar("T")
UNNAMED = "object"  # what readers call a thing that nothing names
LEAST_SHARE, LEAST_SIDE = 0.002, 8.0  # of the picture's area; pixels: what is smaller is hard to speak of
MOST_WORDS = 4  # for a thing


def expressions_of(scene: Scene) -> dict[int, list[str]]:
    """Return what people wrote about things, by their ids: expressions first, then phrases of captions."""
    found: dict[int, list[str]] = {}
    for expression in scene.expressions:
        found.setdefault(expression.thing, []).append(expression.text)
    for caption in scene.captions:
        for phrase in caption.phrases:
            if len(phrase.things) == 1 and not is_relation(caption):
                found.setdefault(phrase.things[0], []).append(phrase.text)
    return {thing: distinct(texts)[:MOST_WORDS] for thing, texts in found.items()}


def distinct(texts: Iterable[str]) -> list[str]:
    """Return texts without those that say the same as an earlier one but for articles and capitals.

    >>> distinct(["dog", "A dog", "the brown dog"])
    ['dog', 'the brown dog']
    """
    found: dict[tuple[str, ...], str] = {}
    for text in texts:
        found.setdefault(tuple(word for word in words_of(text) if word not in DETERMINERS), text)
    return list(found.values())


def words_for(thing: Thing, expressions: dict[int, list[str]]) -> list[str]:
    """Return all words for a thing: its category, where that says anything, and what people wrote."""
    named = thing.category not in (UNNAMED, REGION) and thing.supercategory != REGION
    return distinct([*([thing.category] if named else []), *expressions.get(thing.id, [])])


def speakable(scene: Scene, expressions: dict[int, list[str]]) -> list[Thing]:
    """Return the things that a dialogue can be about: single, not tiny, with words for them."""
    least = LEAST_SHARE * scene.width * scene.height
    return [
        thing
        for thing in scene.things
        if not thing.group
        and thing.box.area >= least
        and min(thing.box.x1 - thing.box.x0, thing.box.y1 - thing.box.y0) >= LEAST_SIDE
        and words_for(thing, expressions)
    ]


def drawn(items: Iterable[T], rng: np.random.Generator, count: int) -> list[T]:
    """Draw at most so many of some items, without repetition."""
    listed = list(items)
    return [listed[index] for index in rng.permutation(len(listed))[:count]]


def quoted_list(texts: Iterable[str]) -> str:
    """Return texts in a row, each in quotation marks.

    >>> print(quoted_list(["dog", "the brown dog"]))
    "dog", "the brown dog"
    """
    return ", ".join(f'"{text}"' for text in texts)

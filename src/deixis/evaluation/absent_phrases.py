"""Phrases that a picture does not contain, worded as those of other pictures of the split.

Absence is as sure as captions are: no word of theirs, and no category of a boxed thing, is the head noun. In
pictures with exhaustive categories only those without a box are absent, as `data.synthesis.views` has it.
"""

from __future__ import annotations

import zlib

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words, same_word

TRIES = 5  # for a phrase that was not drawn before


def generator(scene: Scene, seed: int) -> np.random.Generator:
    """Return the picture's own generator: what is drawn depends on no other picture and no other task."""
    return np.random.default_rng([seed, zlib.crc32(scene.id.encode())])


def absent_as_spoken(
    scene: Scene, *, count: int, book: Phrasebook, rng: np.random.Generator
) -> list[str | None]:
    """Return ``count`` different absent phrases, half of them drawn by how often they occur.

    None stands for a draw that found nothing new.
    """
    if scene.exhaustive:
        missing = [str(text) for text in rng.permutation(missing_categories(scene))[:count]]
        return [*missing, *[None] * (count - len(missing))]
    words = caption_words(scene)
    drawn: dict[str, None] = {}
    slots: list[str | None] = []
    for _ in range(count):
        tries = (book.absent(words, rng) for _ in range(TRIES))
        text = next((one for one in tries if one is not None and one not in drawn), None)
        slots.append(text)
        if text is not None:
            drawn[text] = None
    return slots


def absent_uniformly(scene: Scene, *, count: int, book: Phrasebook, rng: np.random.Generator) -> list[str]:
    """Return ``count`` different absent phrases, every distinct phrase equally likely; fewer if there are."""
    if scene.exhaustive:
        return [str(text) for text in rng.permutation(missing_categories(scene))[:count]]
    words = caption_words(scene)
    drawn: list[str] = []
    for index in rng.permutation(len(book.texts)):
        if len(drawn) == count:
            break
        head = book.heads[index]
        if head and not same_word(head, words):
            drawn.append(book.texts[index])
    return drawn


def missing_categories(scene: Scene) -> list[str]:
    """Return phrases for the exhaustive categories of which the picture has nothing."""
    return [f"the {name}" for name in sorted(scene.exhaustive - {thing.category for thing in scene.things})]

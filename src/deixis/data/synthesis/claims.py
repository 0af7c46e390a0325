"""What can be said of the things in a picture: what they are, and what they are not."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from deixis.data.lots import pick
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words, phrases_of
from deixis.english.nouns import head_noun

YES, NEAR, FAR = "yes", "near", "far"  # what it is; what something else in the picture is; what nothing is


@dataclass(frozen=True)
class Claim:
    """A thing of a scene, by its id, what is said of it, and whether that is so.

    said: a short name, or a quality. truth: YES, or of which sort the lie is.
    """

    thing: int
    said: str
    truth: str


def claims_about(scene: Scene, *, book: Phrasebook, seed: int) -> Iterator[Claim]:
    """Yield two claims for every thing that some phrase means alone: what it is, and what it is not.

    Things of which nothing wrong could be drawn are left out.
    """
    texts = meant_alone(scene)
    for thing, own in texts.items():
        # A generator for each thing: what is said does not depend on the other things.
        rng = np.random.default_rng([seed, zlib.crc32(f"{scene.id}/{thing}/is".encode())])
        wrong = something_else(scene, thing, texts, book=book, rng=rng)
        if wrong is not None:
            for text, truth in ((pick(own, rng), YES), wrong):
                yield Claim(thing, book.name(text), truth)


def meant_alone(scene: Scene) -> dict[int, list[str]]:
    """Return the phrases of every thing that some phrase means alone."""
    texts: dict[int, list[str]] = {}
    for text, things in phrases_of(scene).items():
        if len(things) == 1:
            texts.setdefault(things[0], []).append(text)
    return dict(sorted(texts.items()))


def something_else(
    scene: Scene,
    thing: int,
    texts: Mapping[int, list[str]],
    *,
    book: Phrasebook,
    rng: np.random.Generator,
) -> tuple[str, str] | None:
    """Return a phrase that is not of the thing, and NEAR or FAR; None where none could be drawn.

    By turns one of another thing of the picture, of another sort (of two people, each may go by the other's
    name), and one whose noun is in no caption.
    """
    nouns = {head_noun(text) for text in texts[thing]}
    others = [
        text
        for other, said in texts.items()
        if scene.thing(other).sort != scene.thing(thing).sort
        for text in said
        if head_noun(text) not in nouns
    ]
    if others and rng.random() < 0.5:
        return pick(others, rng), NEAR
    absent = None if scene.exhaustive else book.absent(caption_words(scene), rng)
    return None if absent is None else (absent, FAR)

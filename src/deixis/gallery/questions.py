"""What a gallery asks about a scene: up to five questions of changing kinds, drawn before any is answered."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, nouns_of, phrases_of
from deixis.english.nouns import head_noun, is_plural, words_of
from deixis.evaluation.absent_phrases import absent_as_spoken, generator
from deixis.evaluation.task import Item
from deixis.evaluation.tasks import grounding, naming, presence
from deixis.gallery.kinds import (
    ABSENT,
    CAPTION,
    LOCATE,
    NAME_BOX,
    NAME_POINT,
    NAME_STROKE,
    NOT_JUDGED,
    PRESENT,
    Kind,
)
from deixis.regions.shapes import Box

T = TypeVar("T")
DESCRIBE = "describe the picture."
POINTING_OUT = frozenset(
    ["the", "his", "her", "its", "their", "my", "our", "your", "this", "that", "these", "those", "another"]
)
TRIES = 20  # for an absent phrase that sounds natural after "is there"


@dataclass(frozen=True)
class GalleryQuestion:
    """A question about one scene.

    item: what is asked, and the truth that its kind judges by. meant: the boxes of what a place is asked for,
    bound to the picture's frame. known: what people say about it, in words for a reader.
    """

    kind: Kind
    item: Item[Any]
    known: str
    meant: tuple[Box, ...] = ()


def questions_about(scene: Scene, *, turn: int, seed: int, phrasebook: Phrasebook) -> list[GalleryQuestion]:
    """Return up to five questions: a place, two names, a presence, and a caption or a second place.

    Four scenes in a row (``turn`` counts them) show every kind. What the scene does not offer is left out:
    one without phrases is asked for no place and no name. The same seed asks the same.
    """
    rng = generator(scene, seed)
    caption = turn // 2 % 2 == 0  # two by two: neighbours on a page are of one height
    pointing = NAME_POINT if turn // 2 % 2 == turn % 2 else NAME_STROKE
    there = turn % 2 == 0
    asked = places(scene, 1 if caption else 2, rng)
    asked += names(scene, (NAME_BOX, pointing), rng, seed=seed)
    asked += (present if there else absent)(scene, phrasebook, rng)
    return [*asked, description(scene)] if caption else asked


def places(scene: Scene, count: int, rng: np.random.Generator) -> list[GalleryQuestion]:
    """Ask where up to ``count`` different phrases are."""
    asked = []
    for item in drawn(grounding.GROUNDING.items([scene], 0), count, rng):
        boxes = f"{len(item.truth)} boxes" if len(item.truth) > 1 else "one box"
        asked.append(GalleryQuestion(LOCATE, item, f"people drew {boxes} for it", meant=item.truth))
    return asked


def names(
    scene: Scene, kinds: Sequence[Kind], rng: np.random.Generator, *, seed: int
) -> list[GalleryQuestion]:
    """Ask for the names of different things, one a kind; with fewer things than kinds, of one thing again."""
    things = list(nouns_of(scene))
    tasks = {
        NAME_BOX: naming.NAMING,
        NAME_POINT: naming.NAMING_POINT,
        NAME_STROKE: naming.NAMING_SCRIBBLE,
    }
    order = drawn(range(len(things)), len(things), rng)
    asked = []
    for number, kind in enumerate(kinds[: len(kinds) if order else 0]):
        item = tasks[kind].items([scene], seed)[order[number % len(order)]]
        nouns = ", ".join(sorted(noun for noun in item.truth if noun))
        asked.append(GalleryQuestion(kind, item, f"people say: {nouns}"))
    return asked


def present(scene: Scene, phrasebook: Phrasebook, rng: np.random.Generator) -> list[GalleryQuestion]:
    """Ask whether something is there that captions speak of."""
    phrases = list(phrases_of(scene))
    chosen = drawn([text for text in phrases if natural(text, phrasebook.uncounted)] or phrases, 1, rng)
    return [
        GalleryQuestion(PRESENT, Item(scene.id, presence.is_there(text), truth=True), "captions speak of it")
        for text in chosen
    ]


def absent(scene: Scene, phrasebook: Phrasebook, rng: np.random.Generator) -> list[GalleryQuestion]:
    """Ask whether something is there that captions of other pictures speak of, and none of this one's."""
    tries = absent_as_spoken(scene, count=TRIES, book=phrasebook, rng=rng)
    texts = [text for text in tries if text is not None]
    chosen = [text for text in texts if natural(text, phrasebook.uncounted)] or texts
    known = "no caption of this photo speaks of it"
    return [
        GalleryQuestion(ABSENT, Item(scene.id, presence.is_there(text), truth=False), known)
        for text in chosen[:1]
    ]


def description(scene: Scene) -> GalleryQuestion:
    """Ask for a caption."""
    known = f"people wrote: {scene.captions[0].text}" if scene.captions else "nobody described this photo"
    return GalleryQuestion(CAPTION, Item(scene.id, DESCRIBE, truth=NOT_JUDGED), known)


def natural(phrase: str, uncounted: Container[str]) -> bool:
    """Tell whether a phrase sounds natural after "is there".

    >>> natural("a dog", ()), natural("dogs", ()), natural("dog", ()), natural("her hands", ())
    (True, True, False, False)
    """
    first = words_of(phrase)[:1]
    indefinite = first in (["a"], ["an"], ["one"]) or is_plural(phrase) or head_noun(phrase) in uncounted
    return indefinite and POINTING_OUT.isdisjoint(first)


def drawn(choices: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """Draw up to ``count`` different ones of ``choices``, in random order."""
    return [choices[int(index)] for index in rng.permutation(len(choices))[:count]]

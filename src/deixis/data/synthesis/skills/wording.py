"""How a thing is called so that nothing else is meant, also by pointing, and answers with places.

Questions are about one part of a fact; every phrase of an answer whose things are in view
carries their places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deixis.data.lots import pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.phrasing import definite
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.skills.facts import Part
from deixis.data.synthesis.templates.skills import KEPT
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.colours import COLOURS
from deixis.english.nouns import is_plural, words_of
from deixis.records.dialogue import Mark
from deixis.regions.shapes import Box, Region

POINTED = 0.4  # how often a single thing is asked about by pointing at it
NO_NAMES = frozenset(
    (
        "someone",
        "somebody",
        "one",
        "ones",
        "two",
        "three",
        "four",
        "five",
        "other",
        "others",
        "another",
        "same",
    )
)

Piece = str | tuple[str, tuple[Box, ...]]
"""Words of an answer: plain ones, or a phrase with its places."""


def told(*pieces: Piece) -> tuple[str, tuple[Mark, ...]]:
    """Return an answer of pieces with a space between them, and the marks of its phrases.

    A piece that begins with a comma or a full stop follows without a space.
    """
    text, marks = "", []
    for piece in pieces:
        words = piece if isinstance(piece, str) else piece[0]
        if text and words and words[0] not in ".,":
            text += " "
        if not isinstance(piece, str):
            marks.append(Mark(len(text), len(text) + len(words), piece[1]))
        text += words
    return text, tuple(marks)


def phrase_of(seen: VisibleScene, part: Part, *, text: str | None = None) -> Piece:
    """Return the words of a part of a fact, or others, with its places where all of them are in view."""
    words = part.text if text is None else text
    return (words, seen.places(part.things)) if part.things and seen.holds(words, part.things) else words


def callings(seen: VisibleScene, part: Part, *, without_colours: bool = False) -> list[str]:
    """Return the definite phrases by which a part's things, and nothing else in the picture, are called.

    without_colours: phrases that name no colour only.
    """
    things = tuple(sorted(part.things))
    texts = [definite(text) for text, meant in seen.phrases.items() if meant == things]
    texts += [f"the {noun}" for noun, meant in seen.facts.nouns.items() if meant == things]
    if without_colours:
        texts = [text for text in texts if COLOURS.isdisjoint(words_of(text))]
    return sorted({text for text in texts if words_of(text)[-1] not in NO_NAMES})


def in_view(seen: VisibleScene, part: Part) -> bool:
    """Tell whether a part's things are all in view and what it says is true there."""
    return bool(part.things) and seen.holds(part.text, part.things)


def be(text: str) -> str:
    """Return "are" for a plural, else "is"."""
    return "are" if is_plural(text) else "is"


def listed(pieces: Sequence[Piece]) -> list[Piece]:
    """Return phrases with "and" before the last."""
    return [*pieces[:-1], "and", pieces[-1]] if len(pieces) > 1 else list(pieces)


@dataclass(frozen=True)
class AskedOf:
    """How a question speaks of something: by words or ``{it}``, a region. called: how answers speak of it."""

    words: str
    called: str
    many: bool
    regions: tuple[tuple[str, Region], ...] = ()

    def question(
        self, template: str, rng: np.random.Generator, slots: Mapping[str, str] | None = None
    ) -> str:
        """Return a question made of a template, its further slots filled in."""
        return question_from(template, rng, phrase=self.words, many=self.many, slots=slots, kept=KEPT)


def asked_of(
    seen: VisibleScene, part: Part, rng: np.random.Generator, *, without_colours: bool = False
) -> AskedOf | None:
    """Return how to ask of a part of a fact; None where it isn't in view or no words mean it alone."""
    if not in_view(seen, part):
        return None
    texts = callings(seen, part, without_colours=without_colours)
    single = len(part.things) == 1
    if single and rng.random() < POINTED:
        called = pick(texts, rng) if texts else f"the {part.noun}"
        region = perturbed_region(seen.boxes[part.things[0]], rng)
        return AskedOf("{it}", called, False, (("it", region),))
    if not texts:
        return None
    called = pick(texts, rng)
    return AskedOf(called, called, is_plural(called))

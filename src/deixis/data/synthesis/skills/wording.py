"""How a thing is called so that nothing else is meant, and answers whose phrases carry their places."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.data.synthesis.phrasing import definite
from deixis.data.synthesis.skills.facts import Part
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.colours import COLOURS
from deixis.english.nouns import is_plural, words_of
from deixis.records.dialogue import Mark
from deixis.regions.shapes import Box

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

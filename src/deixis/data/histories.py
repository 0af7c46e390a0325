"""Dialogues of several turns: each turn goes on from one before, or has nothing to do with it.

Both must be practised: who only ever sees follow-ups takes every earlier turn for a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.data.dialogue import Dialogue, Mark, Turn
from deixis.data.lots import draw, pick
from deixis.data.wordings import FURTHER, FURTHER_COUNT, FURTHER_WHERE, worded
from deixis.language.nouns import is_plural

if TYPE_CHECKING:
    from deixis.data.dialogue_writer import DialogueWriter

FOLLOWS = 0.55  # how often a second turn goes on from the first
FURTHER_TURN = 0.3  # how often one more turn comes behind it
BEGINNINGS = ("name", "name", "where", "presence", "count")
ANYTHING = ("name", "describe", "locate", "presence", "count")  # kinds of the mix


def histories(writer: DialogueWriter, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Return up to ``count`` dialogues of two or three turns about the writer's view."""
    dialogues = []
    for thing in draw(list(writer.described), count, rng):
        turns = beginning(writer, thing, pick(BEGINNINGS, rng), rng)
        if len(turns) == 1:
            turns += unrelated(writer, rng)
        if rng.random() < FURTHER_TURN:
            turns += unrelated(writer, rng)
        if len(turns) > 1:
            dialogues.append(Dialogue("two_turns", tuple(turns)))
    return dialogues


def beginning(writer: DialogueWriter, thing: int, kind: str, rng: np.random.Generator) -> list[Turn]:
    """Return a first turn about a thing, often with one that goes on from it."""
    follows = rng.random() < FOLLOWS
    if kind == "count" and (known := writer.known_numbers()):
        text = pick(list(known), rng)
        if not follows:
            return [writer.count(text, known[text], rng)]
        return [writer.presence(text, known[text], rng), counted(writer, text, known[text], rng)]
    if kind == "name":
        first = writer.about_region(thing, "name", rng)
        return [first, described(writer, thing, rng)] if follows else [first]
    text = pick(writer.described[thing], rng)
    if kind == "where":
        first = writer.where(text, (thing,), rng)
        return [first, described(writer, thing, rng)] if follows else [first]
    first = writer.presence(text, (thing,), rng)
    return [first, located(writer, text, thing, rng)] if follows else [first]


def unrelated(writer: DialogueWriter, rng: np.random.Generator) -> list[Turn]:
    """Return a turn that needs nothing of what was said before; none where the picture has nothing for it."""
    written = writer.write(pick(ANYTHING, rng), 1, rng)
    return [turn for dialogue in written for turn in dialogue.turns]


def described(writer: DialogueWriter, thing: int, rng: np.random.Generator) -> Turn:
    """Ask what the thing spoken of looks like."""
    return Turn(worded(pick(FURTHER, rng), rng), max(writer.described[thing], key=len) + ".")


def located(writer: DialogueWriter, text: str, thing: int, rng: np.random.Generator) -> Turn:
    """Ask where the thing spoken of is, without naming it."""
    many = is_plural(text)
    question = worded(pick(FURTHER_WHERE, rng), rng, phrase="they" if many else "it", many=many)
    answer = f"{text} {'are' if many else 'is'} here."
    return Turn(question, answer, (Mark(0, len(text), writer.places((thing,))),))


def counted(writer: DialogueWriter, text: str, things: tuple[int, ...], rng: np.random.Generator) -> Turn:
    """Ask how many there are of what was spoken of, without naming it."""
    told = writer.count(text, things, rng)
    return Turn(worded(pick(FURTHER_COUNT, rng), rng), told.answer, told.marks)

"""Dialogues of several turns: each turn goes on from one before, or has nothing to do with it.

Both must be practised: who only ever sees follow-ups takes every earlier turn for a hint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.question_templates import (
    FURTHER,
    FURTHER_COUNT,
    FURTHER_NAME,
    FURTHER_PHRASE,
    FURTHER_WHERE,
)
from deixis.data.synthesis.question_writer import worded
from deixis.english.nouns import is_plural
from deixis.records.dialogue import Dialogue, Mark, Turn

if TYPE_CHECKING:
    from deixis.data.synthesis.dialogue_writer import DialogueWriter

Ask = Callable[[str, tuple[int, ...], np.random.Generator], Turn]
"""Writes a question for a phrase, given what it means in the view."""

SWITCHES = 0.35  # how often a second turn asks the same of something else
ABSENT = 0.3  # how often that is not in the picture
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
        text = writer.counted_kind(known, rng)
        if not follows:
            return [writer.count(text, known[text], rng)]
        return [writer.presence(text, known[text], rng), counted(writer, text, known[text], rng)]
    switches = rng.random() < SWITCHES
    tells = thing in writer.telling and not switches
    if kind == "name":
        first = writer.about_region(thing, "name", rng)
        if not follows:
            return [first]
        return [first, described(writer, thing, rng) if tells else named_too(writer, rng)]
    text = pick(writer.described[thing], rng)
    if kind == "where":
        first = writer.where(text, (thing,), rng)
        if not follows:
            return [first]
        return [first, described(writer, thing, rng) if tells else asked_too(writer, writer.where, rng)]
    first = writer.presence(text, (thing,), rng)
    if not follows:
        return [first]
    also = asked_too(writer, writer.presence, rng) if switches else located(writer, text, thing, rng)
    return [first, also]


def named_too(writer: DialogueWriter, rng: np.random.Generator) -> Turn:
    """Ask for the name of one more region, in as few words as one does the second time: "and {it}?"."""
    turn = writer.about_region(pick(list(writer.names), rng), "name", rng)
    return replace(turn, question=worded(pick(FURTHER_NAME, rng), rng))


def asked_too(writer: DialogueWriter, ask: Ask, rng: np.random.Generator) -> Turn:
    """Ask the same of another phrase, sometimes of what isn't there, in as few words: "how about a dog?"."""
    absent = writer.absent(rng) if rng.random() < ABSENT else None
    text = absent or pick(list(writer.phrases), rng)
    turn = ask(text, () if absent else writer.phrases[text], rng)
    return replace(turn, question=worded(pick(FURTHER_PHRASE, rng), rng, phrase=text))


def unrelated(writer: DialogueWriter, rng: np.random.Generator) -> list[Turn]:
    """Return a turn that needs nothing of what was said before; none where the picture has nothing for it."""
    written = writer.write(pick(ANYTHING, rng), 1, rng)
    return [turn for dialogue in written for turn in dialogue.turns]


def described(writer: DialogueWriter, thing: int, rng: np.random.Generator) -> Turn:
    """Ask what the thing spoken of looks like."""
    question = worded(pick(FURTHER, rng), rng)
    return Turn(question, f"{writer.telling[thing]}.")


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

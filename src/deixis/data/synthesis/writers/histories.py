"""Dialogues of several turns: each turn goes on from one before, or has nothing to do with it.

Both must be practised: who only ever sees follow-ups takes every earlier turn for a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.follow_ups import (
    FURTHER,
    FURTHER_COUNT,
    FURTHER_NAME,
    FURTHER_PHRASE,
    FURTHER_WHERE,
)
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.data.synthesis.writers.counting import count_dialogues, count_turn, counted_kind, known_numbers
from deixis.data.synthesis.writers.locating import present_dialogues, where_turn
from deixis.data.synthesis.writers.naming import region_dialogues, region_turn
from deixis.data.synthesis.writers.presence import presence_dialogues, presence_turn
from deixis.english.nouns import is_plural
from deixis.records.dialogue import Dialogue, Mark, Turn

Ask = Callable[[VisibleScene, str, Sequence[int], np.random.Generator], Turn]
"""Writes a question for a phrase, given what it means in the view."""
Write = Callable[[VisibleScene, str, int, np.random.Generator], list[Dialogue]]
"""Writes up to so many dialogues of a kind about a view."""

SWITCHES = 0.35  # how often a second turn asks the same of something else
ABSENT = 0.3  # how often that is not in the picture
FOLLOWS = 0.55  # how often a second turn goes on from the first
FURTHER_TURN = 0.3  # how often one more turn comes behind it
BEGINNINGS = ("name", "name", "where", "presence", "count")
ANYTHING: Mapping[str, Write] = {
    "name": region_dialogues,
    "describe": region_dialogues,
    "locate": present_dialogues,
    "presence": presence_dialogues,
    "count": count_dialogues,
}  # kinds of the mix that need nothing said before


def history_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Return up to ``count`` dialogues of two or three turns about a view."""
    dialogues = []
    for thing in draw(list(seen.described), count, rng):
        turns = beginning(seen, thing, pick(BEGINNINGS, rng), rng)
        if len(turns) == 1:
            turns += unrelated(seen, rng)
        if rng.random() < FURTHER_TURN:
            turns += unrelated(seen, rng)
        if len(turns) > 1:
            dialogues.append(Dialogue(kind, tuple(turns)))
    return dialogues


def beginning(seen: VisibleScene, thing: int, kind: str, rng: np.random.Generator) -> list[Turn]:
    """Return a first turn about a thing, often with one that goes on from it."""
    follows = rng.random() < FOLLOWS
    if kind == "count" and (known := known_numbers(seen)):
        text = counted_kind(known, rng)
        if not follows:
            return [count_turn(seen, text, known[text], rng)]
        return [presence_turn(seen, text, known[text], rng), counted(seen, text, known[text], rng)]
    switches = rng.random() < SWITCHES
    tells = thing in seen.telling and not switches
    if kind == "name":
        first = region_turn(seen, thing, "name", rng)
        if not follows:
            return [first]
        return [first, described(seen, thing, rng) if tells else named_too(seen, rng)]
    text = pick(seen.described[thing], rng)
    if kind == "where":
        first = where_turn(seen, text, (thing,), rng)
        if not follows:
            return [first]
        return [first, described(seen, thing, rng) if tells else asked_too(seen, where_turn, rng)]
    first = presence_turn(seen, text, (thing,), rng)
    if not follows:
        return [first]
    also = asked_too(seen, presence_turn, rng) if switches else located(seen, text, thing, rng)
    return [first, also]


def named_too(seen: VisibleScene, rng: np.random.Generator) -> Turn:
    """Ask for the name of one more region, in as few words as one does the second time: "and {it}?"."""
    turn = region_turn(seen, pick(list(seen.names), rng), "name", rng)
    return replace(turn, question=question_from(pick(FURTHER_NAME, rng), rng))


def asked_too(seen: VisibleScene, ask: Ask, rng: np.random.Generator) -> Turn:
    """Ask the same of another phrase, sometimes of what isn't there, in as few words: "how about a dog?"."""
    absent = seen.absent(rng) if rng.random() < ABSENT else None
    text = absent or pick(list(seen.phrases), rng)
    turn = ask(seen, text, () if absent else seen.phrases[text], rng)
    return replace(turn, question=question_from(pick(FURTHER_PHRASE, rng), rng, phrase=text))


def unrelated(seen: VisibleScene, rng: np.random.Generator) -> list[Turn]:
    """Return a turn that needs nothing of what was said before; none where the picture has nothing for it."""
    kind = pick(tuple(ANYTHING), rng)
    return [turn for dialogue in ANYTHING[kind](seen, kind, 1, rng) for turn in dialogue.turns]


def described(seen: VisibleScene, thing: int, rng: np.random.Generator) -> Turn:
    """Ask what the thing spoken of looks like."""
    question = question_from(pick(FURTHER, rng), rng)
    return Turn(question, f"{seen.telling[thing]}.", intent="tell")


def located(seen: VisibleScene, text: str, thing: int, rng: np.random.Generator) -> Turn:
    """Ask where the thing spoken of is, without naming it."""
    many = is_plural(text)
    question = question_from(pick(FURTHER_WHERE, rng), rng, phrase="they" if many else "it", many=many)
    answer = f"{text} {'are' if many else 'is'} here."
    return Turn(question, answer, (Mark(0, len(text), seen.places((thing,))),), intent="where")


def counted(seen: VisibleScene, text: str, things: tuple[int, ...], rng: np.random.Generator) -> Turn:
    """Ask how many there are of what was spoken of, without naming it."""
    told = count_turn(seen, text, things, rng)
    return Turn(question_from(pick(FURTHER_COUNT, rng), rng), told.answer, told.marks, intent="whether")

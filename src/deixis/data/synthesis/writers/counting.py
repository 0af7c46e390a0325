"""Dialogues that ask how many of a kind there are, where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deixis.data.lots import pick
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import phrases_of
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import COUNT
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.inflection import plural
from deixis.english.nouns import head_noun, is_plural, words_of
from deixis.english.numbers import UP_TO_TWENTY
from deixis.records.dialogue import Dialogue, Mark, Turn

SEVERAL = 0.5  # how often "how many" asks for a kind of which there are several, where there is one
KNOWN = 0.85  # how often "how many" asks for what is there
NUMBERS = ("none", *UP_TO_TWENTY[1:11])


def count_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask how many of a kind there are: kinds whose number is known, sometimes one that is absent."""
    known = known_numbers(seen)
    dialogues = []
    for _ in range(count):
        if known and rng.random() < KNOWN:
            text = counted_kind(known, rng)
        else:
            text = plural(head_noun(seen.absent(rng) or ""))
        if text:
            dialogues.append(Dialogue(kind, (count_turn(seen, text, known.get(text, ()), rng),)))
    return dialogues


def count_turn(seen: VisibleScene, text: str, things: Sequence[int], rng: np.random.Generator) -> Turn:
    """Ask how many of a kind there are; no ``things`` means none."""
    question = question_from(pick(COUNT, rng), rng, phrase=text, many=True)
    mark = Mark(0, len(text), seen.places(things))
    return Turn(question, f"{text}: {NUMBERS[len(things)]}.", (mark,), intent="whether")


def counted_kind(known: Mapping[str, tuple[int, ...]], rng: np.random.Generator) -> str:
    """Draw a kind to count, mostly one of several things: most kinds of a picture have only one."""
    several = [text for text, things in known.items() if len(things) > 1]
    return pick(several if several and rng.random() < SEVERAL else list(known), rng)


def known_numbers(seen: VisibleScene) -> dict[str, tuple[int, ...]]:
    """Return the kinds of which it is known how many are there, all of them in view."""
    return {text: things for text, things in countable(seen.scene).items() if seen.holds(text, things)}


def countable(scene: Scene) -> dict[str, tuple[int, ...]]:
    """Return plurals ("dogs", "brown dogs") with the things that they mean, all of them.

    Known are phrases that begin with a number of as many things ("two dogs" with two boxes), single things
    whose noun no caption uses for anything else, and categories that are boxed exhaustively. A noun that
    captions use for different things is left out: it is not known whether they are all that there are.
    """
    counted: dict[str, tuple[int, ...]] = {}
    meant: dict[str, set[tuple[int, ...]]] = {}
    for text, things in phrases_of(scene).items():
        meant.setdefault(plural(head_noun(text)), set()).add(things)
    for text, things in phrases_of(scene).items():
        words, nouns = words_of(text), plural(head_noun(text))
        if not nouns or head_noun(text) in NUMBERS:  # "two" alone says nothing of what
            continue
        if len(meant[nouns]) > 1 or any(scene.thing(thing).group for thing in things):
            continue
        if words[0] in NUMBERS and NUMBERS.index(words[0]) == len(things) > 1:
            counted[" ".join(words[1:])] = things
            counted[nouns] = things
        elif len(things) == 1 and words[0] in ("a", "an", "one") and not is_plural(text):
            counted[nouns] = things
    for category in sorted(scene.exhaustive):
        things = tuple(thing.id for thing in scene.things if thing.category == category)
        if 0 < len(things) < len(NUMBERS) and plural(category):
            counted[plural(category)] = things
    return counted

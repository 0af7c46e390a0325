"""Presence: is there such a thing in the picture? As many questions whose answer is yes as no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, phrases_of
from deixis.english.nouns import is_plural
from deixis.evaluation.absent_phrases import absent_as_spoken, generator
from deixis.evaluation.metrics.answer_kinds import verdict
from deixis.evaluation.metrics.confidence import mean_where
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks.grounding import asked_phrase, without_braces

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


def is_there(phrase: str) -> str:
    """Return the question whether something is there, in lower case, braces as parentheses.

    >>> is_there("A dog"), is_there("two dogs")
    ('is there a dog?', 'are there two dogs?')
    """
    verb = "are" if is_plural(phrase) else "is"
    return f"{verb} there {without_braces(phrase)}?"


def items(scenes: Sequence[Scene], seed: int) -> list[Item[bool]]:
    """Return an item for every distinct phrase of a picture, each followed by one for an absent phrase.

    A phrase that no absent one could be drawn for is left out, so that there are as many of both.
    """
    book = Phrasebook(scenes)
    found = []
    for scene in scenes:
        present = list(phrases_of(scene))
        absent = absent_as_spoken(scene, count=len(present), book=book, rng=generator(scene, seed))
        for there, missing in zip(present, absent, strict=True):
            if missing is not None:
                found.append(Item(scene.id, is_there(there), truth=True))
                found.append(Item(scene.id, is_there(missing), truth=False))
    return found


def score(answer: Answer, item: Item[bool]) -> Outcome:
    """Judge the first yes or no of an answer; one without, or one that cannot be parsed, is wrong."""
    yes = None if answer.parse_failures else verdict(answer, repeated=asked_phrase(item.question))
    numbers = {
        "right": float(yes is item.truth),
        "said_yes": float(yes is True),
        "unclear": float(yes is None),
        "present": float(item.truth),
    }
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[bool]]) -> dict[str, float]:
    """Return what yes to everything earns."""
    return {"always_yes": float(np.mean([item.truth for item in asked]))}


def measure(columns: Columns) -> dict[str, float]:
    """Return the share of right answers, also over each half, and how often it said yes or neither."""
    present = columns["present"] > 0
    return {
        "right": float(columns["right"].mean()),
        "right_present": mean_where(columns["right"], present),
        "right_absent": mean_where(columns["right"], ~present),
        "said_yes": float(columns["said_yes"].mean()),
        "unclear": float(columns["unclear"].mean()),
    }


PRESENCE: Task[bool] = Task(
    name="presence",
    title="object existence",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt="is there {phrase}? (are, for a plural; the phrase in lower case)",
    points_at="nothing",
    rule=(
        "every distinct phrase with boxes of each picture, and as many phrases of the split whose head noun "
        "no caption of the picture uses, half of them drawn by how often they occur; right if the first yes "
        "or no outside of the answer's phrases is true; `unclear`: how often there was neither, which is "
        "wrong; `right_present`, `right_absent`: the rate over each half"
    ),
    items=items,
    score=score,
    baselines=baselines,
    measure=measure,
)

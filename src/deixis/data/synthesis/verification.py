"""Yes/no questions about one thing pointed at: is it what it is said to be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.question_templates import VERIFY
from deixis.data.synthesis.question_writer import worded
from deixis.records.dialogue import Turn

if TYPE_CHECKING:
    from deixis.data.synthesis.dialogue_writer import DialogueWriter

RIGHT = 0.5  # how often a thing is what it is said to be
NEAR = 0.5  # how often it is said to be something else that the picture shows, where it isn't
IN_FULL = 0.3  # how often the whole phrase is asked about, not its noun


def verification_turns(writer: DialogueWriter, count: int, rng: np.random.Generator) -> list[Turn]:
    """Point at things and ask whether they are this or that; the answer says what they are."""
    turns = []
    for thing in draw(list(writer.described), count, rng):
        own = pick(writer.described[thing], rng)
        name = writer.phrasebook.name(own)
        if rng.random() < RIGHT:
            said = own if rng.random() < IN_FULL else name
            answer = f"yes, {said}."
        else:
            other = another_sort(writer, thing, rng) if rng.random() < NEAR else writer.absent(rng)
            if other is None:
                continue
            said, answer = writer.phrasebook.name(other), f"no, {name}."
        question = worded(pick(VERIFY, rng), rng, phrase=said)
        region = perturbed_region(writer.boxes[thing], rng)
        turns.append(Turn(question, answer, regions=(("it", region),)))
    return turns


def another_sort(writer: DialogueWriter, thing: int, rng: np.random.Generator) -> str | None:
    """Draw a phrase for a thing of the picture that is of another sort; None if there is none.

    Of things of one sort, such as people, each may go by the other's name.
    """
    own = writer.scene.thing(thing).sort
    others = [
        text
        for other, texts in writer.described.items()
        if writer.scene.thing(other).sort != own
        for text in texts
    ]
    return pick(others, rng) if others else None

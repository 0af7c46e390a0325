"""Yes/no questions about one thing pointed at: is it what it is said to be?"""

from __future__ import annotations

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import VERIFY
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.records.dialogue import Dialogue, Turn

RIGHT = 0.5  # how often a thing is what it is said to be
NEAR = 0.5  # how often it is said to be something else that the picture shows, where it isn't
IN_FULL = 0.3  # how often the whole phrase is asked about, not its noun


def assertion_dialogues(
    seen: VisibleScene, kind: str, count: int, rng: np.random.Generator
) -> list[Dialogue]:
    """Point at things and ask whether they are this or that; the answer says what they are."""
    dialogues = []
    for thing in draw(list(seen.described), count, rng):
        own = pick(seen.described[thing], rng)
        name = seen.phrasebook.name(own)
        if rng.random() < RIGHT:
            said = own if rng.random() < IN_FULL else name
            answer = f"yes, {said}."
        else:
            other = another_sort(seen, thing, rng) if rng.random() < NEAR else seen.absent(rng)
            if other is None:
                continue
            said, answer = seen.phrasebook.name(other), f"no, {name}."
        question = question_from(pick(VERIFY, rng), rng, phrase=said)
        region = perturbed_region(seen.boxes[thing], rng)
        turn = Turn(question, answer, regions=(("it", region),), intent="judge", claims=(said,))
        dialogues.append(Dialogue(kind, (turn,)))
    return dialogues


def another_sort(seen: VisibleScene, thing: int, rng: np.random.Generator) -> str | None:
    """Draw a phrase for a thing of the picture that is of another sort; None if there is none.

    Of things of one sort, such as people, each may go by the other's name.
    """
    own = seen.scene.thing(thing).sort
    others = [
        text
        for other, texts in seen.described.items()
        if seen.scene.thing(other).sort != own
        for text in texts
    ]
    return pick(others, rng) if others else None

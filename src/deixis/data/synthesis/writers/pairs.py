"""Questions about two things pointed at: how they lie to each other, and how they differ."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.relations import relation, size
from deixis.data.synthesis.templates.questions import COMPARE, RELATE, SAME
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.inflection import plural
from deixis.english.nouns import head_noun, is_plural
from deixis.records.dialogue import Dialogue, Turn


def pair_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Point at two things: how do they lie to each other, how do they differ, are they the same?"""
    dialogues: list[Dialogue] = []
    while len(seen.names) > 1 and len(dialogues) < count:
        first, second = draw(list(seen.names), 2, rng)
        own = seen.boxes[first], seen.boxes[second]
        names = tuple(seen.phrasebook.name(pick(seen.names[thing], rng)) for thing in (first, second))
        if kind == "relate":
            question = question_from(pick(RELATE, rng), rng)
            verb = "are" if is_plural(names[0]) else "is"
            answer = f"{names[0]} {verb} {relation(*own)} {names[1]}."
        elif rng.random() < 0.5:
            question = question_from(pick(SAME, rng), rng)
            same = not nouns_for(seen, first).isdisjoint(nouns_for(seen, second))
            answer = f"yes, both: {names[0]}." if same else f"no: {names[0]} and {names[1]}."
        else:
            question = question_from(pick(COMPARE, rng), rng)
            described = [max(seen.names[thing], key=len) for thing in (first, second)]
            answer = f"{described[0]} and {described[1]}; {size(*own)}."
        regions = tuple((name, perturbed_region(box, rng)) for name, box in zip(("a", "b"), own, strict=True))
        dialogues.append(Dialogue(kind, (Turn(question, answer, regions=regions, intent="tell"),)))
    return dialogues


def nouns_for(seen: VisibleScene, thing: int) -> frozenset[str]:
    """Return the plurals of all nouns that a thing is called by."""
    return frozenset(plural(head_noun(text)) for text in seen.names[thing])

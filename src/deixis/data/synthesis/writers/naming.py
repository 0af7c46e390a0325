"""Dialogues about one thing pointed at: what it is, and what it is like."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import ANY_SORT, DESCRIBE, NAME, NAME_KIND, SORTS
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.records.dialogue import Dialogue, Turn
from deixis.records.intents import Intent

SORT_TOLD = 0.25  # how often a question for a name says what sort of thing is meant


def region_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask for the names or the descriptions of different things."""
    things = draw(list(seen.telling if kind == "describe" else seen.names), count, rng)
    return [Dialogue(kind, (region_turn(seen, thing, kind, rng),)) for thing in things]


def region_turn(seen: VisibleScene, thing: int, kind: str, rng: np.random.Generator) -> Turn:
    """Ask for the name (a noun) or a description (the longest phrase) of a thing pointed at."""
    region = perturbed_region(seen.boxes[thing], rng)
    if kind == "describe":
        answer = seen.telling[thing]
        question = question_from(pick(DESCRIBE, rng), rng)
    else:
        answer = seen.phrasebook.name(pick(seen.names[thing], rng))
        question = "{it}" if kind == "name_bare" else asked_name(seen, thing, rng)
    intent: Intent = "tell" if kind == "describe" else "name"
    return Turn(question, f"{answer}.", regions=(("it", region),), intent=intent)


def asked_name(seen: VisibleScene, thing: int, rng: np.random.Generator) -> str:
    """Ask what a thing pointed at is, sometimes with a word for what sort of thing it is."""
    if rng.random() < SORT_TOLD:
        sort = pick(SORTS.get(seen.scene.thing(thing).supercategory or "", ANY_SORT), rng)
        return question_from(pick(NAME_KIND, rng).replace("{kind}", sort), rng)
    return question_from(pick(NAME, rng), rng)

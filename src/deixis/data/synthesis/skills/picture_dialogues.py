"""Dialogues about the picture as a whole: indoors or outdoors, and how many people there are."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import pick
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.skills.wording import told
from deixis.data.synthesis.templates.skills import HOW_MANY_PEOPLE, IN_OR_OUT, IS_IT_OUT, KEPT
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.data.synthesis.writers.counting import NUMBERS
from deixis.records.dialogue import Dialogue, Turn

YES_OR_NO = 0.4  # how often "outside?" is asked, not "inside or outside?"
PLACES = {True: ("outdoors", "outside"), False: ("indoors", "inside")}
INDOORS_TOO = 4  # so many more times is a picture asked about that was taken indoors: few are


def picture_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask where a picture was taken, or how many people it shows, where that is known."""
    dialogues = []
    for _ in range(count):
        turns = []
        if seen.facts.outdoors is not None:
            turns = [where_taken(seen.facts.outdoors, rng)] * (1 if seen.facts.outdoors else INDOORS_TOO)
        people = seen.facts.people
        if people and len(people) < len(NUMBERS) and all(thing in seen.boxes for thing in people):
            turns.append(people_turn(seen, people, rng))
        if turns:
            dialogues.append(Dialogue(kind, (pick(turns, rng),)))
    return dialogues


def where_taken(outdoors: bool, rng: np.random.Generator) -> Turn:
    """Ask whether a picture was taken outdoors."""
    if rng.random() >= YES_OR_NO:
        return Turn(
            question_from(pick(IN_OR_OUT, rng), rng, kept=KEPT),
            f"it is {PLACES[outdoors][0]}.",
            intent="tell",
        )
    asked = bool(rng.random() < 0.5)
    question = question_from(pick(IS_IT_OUT, rng), rng, slots={"place": pick(PLACES[asked], rng)}, kept=KEPT)
    verdict = "yes" if asked == outdoors else "no"
    return Turn(question, f"{verdict}, it is {PLACES[outdoors][0]}.", intent="tell")


def people_turn(seen: VisibleScene, people: tuple[int, ...], rng: np.random.Generator) -> Turn:
    """Ask how many people there are; the answer has all of their places."""
    question = question_from(pick(HOW_MANY_PEOPLE, rng), rng, kept=KEPT)
    answer, marks = told(("people", seen.places(people)))
    return Turn(question, f"{answer}: {NUMBERS[len(people)]}.", marks, intent="whether")

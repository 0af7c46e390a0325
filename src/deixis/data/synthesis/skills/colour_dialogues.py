"""Dialogues about colours: of a thing, of what someone wears, and whether a thing is of a colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.skills.facts import Colour, Deed
from deixis.data.synthesis.skills.wording import AskedOf, asked_of, be, phrase_of, told
from deixis.data.synthesis.templates.skills import COLOUR, COLOUR_WORN, IS_COLOUR
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.colours import COLOURS
from deixis.english.nouns import words_of
from deixis.records.dialogue import Dialogue, Turn

YES_OR_NO = 0.25  # how often it is asked whether a thing is of a colour
OF_WORN = 0.3  # how often the colour of what someone wears is asked for, where that is known


def colour_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask for colours of different things."""
    facts = seen.facts
    worn = [deed for deed in facts.deeds if deed.verb == "wearing" and plain_colour(deed)]
    dialogues = []
    for fact in draw(facts.colours, count, rng):
        turn = None
        if worn and rng.random() < OF_WORN:
            turn = worn_turn(seen, pick(worn, rng), rng)
        elif (of := asked_of(seen, fact.of, rng, without_colours=True)) is not None:
            own = [other for other in facts.colours if set(other.of.things) & set(fact.of.things)]
            turn = colour_turn(seen, fact, of, own, rng)
        if turn is not None:
            dialogues.append(Dialogue(kind, (turn,)))
    return dialogues


def colour_turn(
    seen: VisibleScene, fact: Colour, of: AskedOf, own: Sequence[Colour], rng: np.random.Generator
) -> Turn | None:
    """Ask which colour a thing has, or whether it is of one. own: all that is said of its colours."""
    called = phrase_of(seen, fact.of, text=of.called)
    if rng.random() >= YES_OR_NO:
        answer, marks = told(called, be(of.called), f"{fact.words}", ".")
        return Turn(of.question(pick(COLOUR, rng), rng), answer, marks, of.regions, intent="tell")
    wrong = seen.skills.wrong_colour(own, rng=rng) if rng.random() < 0.5 else None
    said = wrong or fact.words
    question = of.question(pick(IS_COLOUR, rng), rng, {"colour": said})
    answer, marks = told(f"{'no' if wrong else 'yes'},", called, be(of.called), fact.words, ".")
    return Turn(question, answer, marks, of.regions, intent="tell")


def worn_turn(seen: VisibleScene, deed: Deed, rng: np.random.Generator) -> Turn | None:
    """Ask for the colour of what someone wears."""
    of = asked_of(seen, deed.who, rng, without_colours=True)
    if of is None or deed.what is None:
        return None
    same = {
        d.what.text
        for d in seen.facts.deeds
        if d.verb == "wearing" and d.what and d.what.noun == deed.what.noun
    }
    if len(same) > 1:  # two people may wear shirts of different colours
        return None
    question = of.question(pick(COLOUR_WORN, rng), rng, {"item": deed.what.noun})
    who = phrase_of(seen, deed.who, text=of.called)
    answer, marks = told(who, be(of.called), "wearing", phrase_of(seen, deed.what), ".")
    return Turn(question, answer, marks, of.regions, intent="tell")


def plain_colour(deed: Deed) -> bool:
    """Tell whether what is worn is said to be of a colour."""
    return deed.what is not None and not COLOURS.isdisjoint(words_of(deed.what.text))

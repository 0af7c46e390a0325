"""Dialogues about what people and animals do, wear, hold and sit on, and about who does it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.data.lots import draw, pick
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.skills.facts import PEOPLE, Deed, Standing
from deixis.data.synthesis.skills.wording import (
    Piece,
    asked_of,
    be,
    callings,
    in_view,
    listed,
    phrase_of,
    told,
)
from deixis.data.synthesis.templates.skills import (
    DOING,
    HOLDING,
    KEPT,
    STANDING_ON,
    TO_WHAT,
    WEARING,
    WHICH_ANIMAL,
    WHO,
)
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.records.dialogue import Dialogue, Turn

STANDS = 0.12  # how often it is asked what someone is on, where that is known
WEARS = 0.35  # how often what someone wears is asked about, where both that and something else is known
PLAIN = 0.6  # how often it is asked what someone does, where the verb may as well be given
MOST_WORN = 2  # pieces of clothing in an answer
HELD = ("holding", "carrying")


def deed_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask what different people and animals do, wear, hold or sit on."""
    facts = seen.facts
    worn = [deed for deed in facts.deeds if deed.verb == "wearing"]
    others = [deed for deed in facts.deeds if deed.verb != "wearing"]
    dialogues = []
    for _ in range(count):
        turn = None
        if facts.standings and rng.random() < STANDS:
            turn = standing_turn(seen, pick(facts.standings, rng), rng)
        elif worn and (not others or rng.random() < WEARS):
            turn = deed_turn(seen, pick(worn, rng), rng)
        elif others:
            turn = deed_turn(seen, pick(others, rng), rng)
        if turn is not None:
            dialogues.append(Dialogue(kind, (turn,)))
    return dialogues


def deed_turn(seen: VisibleScene, deed: Deed, rng: np.random.Generator) -> Turn | None:
    """Ask what someone does, or to what they do it; the answer says who does what, each with its place."""
    of = asked_of(seen, deed.who, rng)
    if of is None:
        return None
    what: tuple[Piece, ...] = () if deed.what is None else (phrase_of(seen, deed.what),)
    if deed.verb == "wearing":
        template, what = pick(WEARING, rng), tuple(listed(all_worn(seen, deed, rng)))
    elif deed.verb in HELD:
        template = pick(HOLDING, rng)
    elif deed.what is None or rng.random() < PLAIN:
        template = pick(DOING, rng)
    else:
        template = pick(TO_WHAT, rng)
    question = of.question(template, rng, {"verb": " ".join(filter(None, (deed.doing, deed.link)))})
    who = phrase_of(seen, deed.who, text=of.called)
    answer, marks = told(who, be(of.called), deed.doing, *filter(None, (deed.link,)), *what, ".")
    return Turn(question, answer, marks, of.regions, intent="tell")


def all_worn(seen: VisibleScene, deed: Deed, rng: np.random.Generator) -> Sequence[Piece]:
    """Return phrases for up to two different things that someone wears, that of a deed first."""
    worn = {deed.what.noun: deed.what} if deed.what else {}
    same = [d for d in seen.facts.deeds if d.verb == "wearing" and d.who.things == deed.who.things]
    for other in draw(same, len(same), rng):
        if other.what is not None and len(worn) < MOST_WORN:
            worn.setdefault(other.what.noun, other.what)
    return [phrase_of(seen, part) for part in worn.values()]


def standing_turn(seen: VisibleScene, fact: Standing, rng: np.random.Generator) -> Turn | None:
    """Ask what someone is on, in front of or next to."""
    of = asked_of(seen, fact.what, rng)
    if of is None or not in_view(seen, fact.where):
        return None
    question = of.question(pick(STANDING_ON, rng), rng, {"link": fact.link})
    who = phrase_of(seen, fact.what, text=of.called)
    answer, marks = told(who, be(of.called), fact.link, phrase_of(seen, fact.where), ".")
    return Turn(question, answer, marks, of.regions, intent="tell")


def doer_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask who does something that only one in the picture does, as far as captions say."""
    facts = seen.facts
    dialogues: list[Dialogue] = []
    for deed in draw(facts.deeds, len(facts.deeds), rng):
        others = [d for d in facts.deeds if d.verb == deed.verb and set(d.who.things) != set(deed.who.things)]
        texts = callings(seen, deed.who)
        if len(dialogues) == count or others or not texts or not in_view(seen, deed.who):
            continue
        called = pick(texts, rng)
        template = pick(WHO if PEOPLE in deed.who.types else WHICH_ANIMAL, rng)
        question = question_from(template, rng, slots={"said": deed.said}, kept=KEPT)
        what = () if deed.what is None else (phrase_of(seen, deed.what),)
        who = phrase_of(seen, deed.who, text=called)
        answer, marks = told(who, be(called), deed.doing, *filter(None, (deed.link,)), *what, ".")
        dialogues.append(Dialogue(kind, (Turn(question, answer, marks, intent="tell"),)))
    return dialogues

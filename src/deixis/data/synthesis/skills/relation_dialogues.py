"""Yes/no dialogues about what someone does, wears or holds, as many of each."""

from __future__ import annotations

import numpy as np

from deixis.data.lots import pick
from deixis.data.synthesis.skills.facts import Deed
from deixis.data.synthesis.skills.opposites import askable
from deixis.data.synthesis.skills.wording import asked_of, be, phrase_of, told
from deixis.data.synthesis.skills.wrong_deeds import sort_of
from deixis.data.synthesis.templates.skills import IS_DOING
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.records.dialogue import Dialogue, Turn

RIGHT = 0.5  # how often it is so


def relation_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Ask whether someone does, wears or holds something; the answer says what they do.

    What is wrong is what others do in other pictures, as often as they do it, and what the captions of this
    one leave no room for.
    """
    able = [deed for deed in seen.facts.deeds if askable(deed)]
    by_sort = {sort_of(deed): [d for d in able if sort_of(d) == sort_of(deed)] for deed in able}
    dialogues = []
    for _ in range(count if able else 0):
        deed = pick(by_sort[pick(sorted(by_sort), rng)], rng)
        turn = relation_turn(seen, deed, rng)
        if turn is not None:
            dialogues.append(Dialogue(kind, (turn,)))
    return dialogues


def relation_turn(seen: VisibleScene, deed: Deed, rng: np.random.Generator) -> Turn | None:
    """Ask whether someone does what a deed says, or what one of another picture says."""
    of = asked_of(seen, deed.who, rng)
    if of is None:
        return None
    own = [other for other in seen.facts.deeds if set(other.who.things) & set(deed.who.things)]
    facts = seen.facts
    wrong = seen.skills.wrong_deeds.draw(own, deed, words=facts.words, doings=facts.doings, rng=rng)
    if wrong is None:  # where there is no "no", a "yes" would go without saying
        return None
    asked = deed if rng.random() < RIGHT else wrong
    question = of.question(pick(IS_DOING, rng), rng, {"said": asked.said})
    what = () if deed.what is None else (phrase_of(seen, deed.what),)
    who = phrase_of(seen, deed.who, text=of.called)
    verdict = "yes," if asked is deed else "no,"
    answer, marks = told(verdict, who, be(of.called), deed.doing, *filter(None, (deed.link,)), *what, ".")
    return Turn(question, answer, marks, of.regions, intent="tell")

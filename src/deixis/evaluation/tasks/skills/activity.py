"""Activity: what is the one pointed at doing, holding, wearing?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.skills.facts import Deed
from deixis.data.synthesis.skills.said_deeds import said_deeds, said_verbs
from deixis.data.synthesis.skills.wrong_deeds import SORTS, sort_of
from deixis.english.colours import COLOURS
from deixis.english.inflection import forms
from deixis.english.nouns import words_of
from deixis.english.verb_forms import first_person, ing_form
from deixis.evaluation.metrics.confidence import mean_where
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.regions.frames import Frame

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


@dataclass(frozen=True)
class Done:
    """What is asked for, doing, holding or wearing, and the nouns and verbs ("-ing") that are right."""

    sort: str
    nouns: frozenset[str]
    verbs: frozenset[str] = frozenset()


def items(scenes: Sequence[Scene], seed: int) -> list[Item[Done]]:
    """Return an item for every person or animal and each of the three that captions plainly say of them."""
    found = []
    for scene in scenes:
        frame = Frame.original(scene.width, scene.height)
        by_thing: dict[int, list[Deed]] = {}
        for deed in said_deeds(scene):
            by_thing.setdefault(deed.who.things[0], []).append(deed)
        for thing, deeds in sorted(by_thing.items()):
            region = (("it", scene.thing(thing).box.bind(frame)),)
            for sort in SORTS:
                own = [deed for deed in deeds if sort_of(deed) == sort]
                if any(deed.what is not None and deed.what.noun not in COLOURS for deed in own):
                    truth = truth_of(sort, own, said_verbs(scene, thing))
                    found.append(Item(scene.id, f"what is {{it}} {sort}?", truth=truth, regions=region))
    return found


def truth_of(sort: str, deeds: Sequence[Deed], verbs: frozenset[str]) -> Done:
    """Return what is right of one sort. verbs: further ones that captions say of whoever does it."""
    nouns = frozenset(deed.what.noun for deed in deeds if deed.what is not None) - COLOURS
    own = {deed.verb for deed in deeds} | verbs if sort == "doing" else frozenset[str]()
    return Done(sort, nouns, frozenset(own) - {"wearing", "holding", "carrying"})


def score(answer: Answer, item: Item[Done]) -> Outcome:
    """Judge the words of an answer: one is a right noun, singular or plural, or a right verb in any form."""
    right = not answer.parse_failures and not answer.unanswerable and says(answer.text, item.truth)
    numbers = {"right": float(right), **{sort: float(item.truth.sort == sort) for sort in SORTS}}
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def says(text: str, truth: Done) -> bool:
    """Tell whether a text has a right noun or verb.

    >>> truth = Done("doing", frozenset(("bike",)), frozenset(("riding",)))
    >>> says("The man rides a horse.", truth), says("Two bikes.", truth), says("The man is running.", truth)
    (True, True, False)
    """
    words = words_of(text)
    if any(not truth.nouns.isdisjoint(forms(word)) for word in words):
        return True
    said = {form for word in words for form in (word, ing_form(word), ing_form(first_person(word)))}
    return not truth.verbs.isdisjoint(said)


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Done]]) -> dict[str, float]:
    """Return what the verb, and the nouns of things held and worn, earn that are right most often."""
    return {"most_frequent": frequent_rate(asked, asked)} if asked else {}


def learnt_baselines(scenes: Sequence[Scene], asked: Sequence[Item[Done]]) -> dict[str, float]:
    """Return what the most frequent ones of other scenes earn."""
    known = items(scenes, 0)
    return {"most_frequent_elsewhere": frequent_rate(known, asked)} if known and asked else {}


def frequent_rate(known: Sequence[Item[Done]], asked: Sequence[Item[Done]]) -> float:
    """Return what the word that is right most often for ``known`` earns of ``asked``, by sort."""
    usual = {}
    for sort in SORTS:
        own = [item.truth for item in known if item.truth.sort == sort]
        counts = Counter(word for truth in own for word in sorted(truth.verbs or truth.nouns))
        usual[sort] = counts.most_common(1)[0][0] if counts else ""
    return float(np.mean([says(usual[item.truth.sort], item.truth) for item in asked]))


def measure(columns: Columns) -> dict[str, float]:
    """Return the share of right answers, also of each sort."""
    return {
        "right": float(columns["right"].mean()),
        **{f"right_{sort}": mean_where(columns["right"], columns[sort] > 0) for sort in SORTS},
    }


ACTIVITY: Task[Done] = Task(
    name="activity",
    title="what someone does, holds and wears",
    needs='captions that say what boxed people and animals do ("a man riding a bike")',
    prompt="what is {it} doing? what is {it} holding? what is {it} wearing?",
    points_at="the box",
    rule=(
        "every box of one person or animal whose phrase is followed in some caption by a participle and "
        'another phrase, or by "in" and clothes; asked once for each of doing, holding (or carrying) and '
        "wearing that is said so; right if the answer has the head noun of any such phrase, in singular or "
        "plural, or, of doing, a verb in any form that directly follows a phrase for the box in any caption; "
        "`most_frequent`: the verb, and the nouns held and worn, that are right most often"
    ),
    items=items,
    score=score,
    baselines=baselines,
    learnt_baselines=learnt_baselines,
    measure=measure,
)

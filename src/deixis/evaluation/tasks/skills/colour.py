"""Colour: what colour is the thing pointed at?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.claims import meant_alone
from deixis.data.synthesis.qualities import qualities_in
from deixis.data.synthesis.skills.facts import PEOPLE
from deixis.english.colours import colours_in
from deixis.english.nouns import words_of
from deixis.evaluation.task import Item, Outcome, Task
from deixis.regions.frames import Frame

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

QUESTION = "what color is {it}?"


def items(scenes: Sequence[Scene], seed: int) -> list[Item[frozenset[str]]]:
    """Return an item for every thing, but people, whose colours some phrase tells that means it alone."""
    found = []
    for scene in scenes:
        frame = Frame.original(scene.width, scene.height)
        for thing, texts in meant_alone(scene).items():
            named = frozenset(colour for text in texts for colour in colours_in(qualities_in(text)))
            if named and scene.thing(thing).supercategory != PEOPLE:
                region = (("it", scene.thing(thing).box.bind(frame)),)
                found.append(Item(scene.id, QUESTION, truth=named, regions=region))
    return found


def score(answer: Answer, item: Item[frozenset[str]]) -> Outcome:
    """Judge the first colour that an answer names."""
    named = [] if answer.parse_failures or answer.unanswerable else colours_in(words_of(answer.text))
    numbers = {"right": float(bool(named) and named[0] in item.truth), "no_colour": float(not named)}
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[frozenset[str]]]) -> dict[str, float]:
    """Return what the colour earns that is right most often."""
    counts = Counter(colour for item in asked for colour in item.truth)
    return {"most_frequent": max(counts.values()) / len(asked)} if counts else {}


def learnt_baselines(scenes: Sequence[Scene], asked: Sequence[Item[frozenset[str]]]) -> dict[str, float]:
    """Return what the most frequent colour of other scenes earns."""
    counts = Counter(colour for item in items(scenes, 0) for colour in sorted(item.truth))
    if not counts:
        return {}
    usual = counts.most_common(1)[0][0]
    return {"most_frequent_elsewhere": float(np.mean([usual in item.truth for item in asked]))}


COLOUR: Task[frozenset[str]] = Task(
    name="colour",
    title="colour of a region",
    needs='captions whose phrases tell colours of boxed things ("a red hat")',
    prompt=QUESTION,
    points_at="the box",
    rule=(
        "every box, but those of people, that some phrase means alone and whose phrases name a colour before "
        "their noun; right if the first colour of the answer (grey is gray, golden gold, blonde blond) is "
        "one that some phrase names; `no_colour`: how often there was none, which is wrong; `most_frequent`: "
        "the colour that is right most often"
    ),
    items=items,
    score=score,
    baselines=baselines,
    learnt_baselines=learnt_baselines,
)

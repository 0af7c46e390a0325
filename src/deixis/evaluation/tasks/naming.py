"""Naming: what is this? A box, a point or a stroke goes in, a noun comes out."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.perturbation import inner_point, inner_scribble
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import nouns_of
from deixis.evaluation.metrics.answered_noun import answered_noun
from deixis.evaluation.task import Item, Outcome, Task
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Region

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

Nouns = frozenset[str]
Pointing = Callable[[Box, np.random.Generator], Region]
QUESTION = "what is {it}?"
ANYWHERE = 0.5  # of width and height, to each side of the middle
RULE = (
    "every box that some phrase names; right if the head noun of the answer (last word before the first "
    'preposition, comma, relative word or participle, lower case, plural kept; "it is" in front left out) is '
    "the head noun of any phrase of the box"
)


def items(scenes: Sequence[Scene], seed: int, *, pointing: Pointing) -> list[Item[Nouns]]:
    """Return one item for every named box, pointed at by the region that ``pointing`` draws in it."""
    found = []
    for scene in scenes:
        frame = Frame.original(scene.width, scene.height)
        for thing, nouns in nouns_of(scene).items():
            # A generator for each thing: its region does not depend on which other things are asked about.
            rng = np.random.default_rng([seed, zlib.crc32(f"{scene.id}/{thing}".encode())])
            region = pointing(scene.thing(thing).box.bind(frame), rng)
            found.append(Item(scene.id, QUESTION, truth=nouns, regions=(("it", region),)))
    return found


def the_box(box: Box, rng: np.random.Generator) -> Region:
    """Return the box itself."""
    return box


def score(answer: Answer, item: Item[Nouns]) -> Outcome:
    """Judge the noun of an answer."""
    noun = "" if answer.parse_failures else answered_noun(answer.text)
    return Outcome({"right": float(named(noun, item.truth))}, parse_failed=bool(answer.parse_failures))


def named(noun: str, truth: Nouns) -> bool:
    """Tell whether a noun names the thing; the empty one names nothing."""
    return noun != "" and noun in truth


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Nouns]]) -> dict[str, float]:
    """Return what the most frequent head noun of the split earns as the answer to everything."""
    counts = Counter(
        noun for scene in scenes for nouns in nouns_of(scene).values() for noun in sorted(nouns) if noun
    )
    noun = counts.most_common(1)[0][0] if counts else ""
    return {"most_frequent_noun": float(np.mean([named(noun, item.truth) for item in asked]))}


NAMING: Task[Nouns] = Task(
    name="naming",
    title="region classification",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt=QUESTION,
    points_at="the box",
    rule=RULE,
    items=partial(items, pointing=the_box),
    score=score,
    baselines=baselines,
)
NAMING_POINT: Task[Nouns] = Task(
    name="naming_point",
    title="region classification at a point",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt=QUESTION,
    points_at="a random point anywhere inside the box",
    rule=RULE,
    items=partial(items, pointing=partial(inner_point, spread=ANYWHERE)),
    score=score,
    baselines=baselines,
)
NAMING_SCRIBBLE: Task[Nouns] = Task(
    name="naming_scribble",
    title="region classification under a stroke",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt=QUESTION,
    points_at="a random smooth stroke of twelve points inside the box",
    rule=RULE,
    items=partial(items, pointing=partial(inner_scribble, spread=ANYWHERE)),
    score=score,
    baselines=baselines,
)

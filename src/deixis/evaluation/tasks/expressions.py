"""Expressions: where is the one thing that these words single out among others of its kind?

``expressions_bare`` asks for the kind alone: what of the score needs none of the words that single out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Expression, Scene
from deixis.evaluation.metrics.top_place import fixed_box, hits, top_place
from deixis.evaluation.task import Item, Outcome, Task
from deixis.evaluation.tasks.grounding import PROMPT, where
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


def items(scenes: Sequence[Scene], seed: int) -> list[Item[Box]]:
    """Return one item for every expression that is unique, means no group, and has distractors."""
    return [
        Item(scene.id, where(expression.text), truth=box_of(scene, expression))
        for scene, expression in singled_out(scenes)
    ]


def bare_items(scenes: Sequence[Scene], seed: int) -> list[Item[Box]]:
    """Return the same items in the same order, each asking for the category of the thing that is meant."""
    return [
        Item(scene.id, where(f"the {scene.thing(expression.thing).category}"), box_of(scene, expression))
        for scene, expression in singled_out(scenes)
    ]


def singled_out(scenes: Sequence[Scene]) -> Iterator[tuple[Scene, Expression]]:
    """Yield every expression that is asked, with its scene."""
    for scene in scenes:
        for expression in scene.expressions:
            if expression.unique and not expression.group and expression.distractors > 0:
                yield scene, expression


def box_of(scene: Scene, expression: Expression) -> Box:
    """Return the box of the thing that is meant."""
    return scene.thing(expression.thing).box.bind(Frame.original(scene.width, scene.height))


def score(answer: Answer, item: Item[Box]) -> Outcome:
    """Judge the top place of an answer."""
    box = top_place(answer)
    numbers = {"right": float(hits(box, [item.truth])), "no_place": float(box is None)}
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Box]]) -> dict[str, float]:
    """Return what one fixed box for everything earns."""
    return {"fixed_box": float(np.mean([hits(fixed_box(item.truth.frame), [item.truth]) for item in asked]))}


EXPRESSIONS: Task[Box] = Task(
    name="expressions",
    places=True,
    title="referring expression comprehension",
    needs="expressions that single one thing out among others of its kind",
    prompt=PROMPT.replace("phrase", "expression"),
    points_at="nothing",
    rule=(
        "expressions that are unique in their picture, mean no group, and have distractors; right if the top "
        "place has IoU >= 0.5 with the box; `no_place`: how often there was no place"
    ),
    items=items,
    score=score,
    baselines=baselines,
)
EXPRESSIONS_BARE: Task[Box] = Task(
    name="expressions_bare",
    places=True,
    title="referring expression comprehension by category alone",
    needs="expressions that single one thing out among others of its kind",
    prompt="where is the {category of the thing}? (are, for a plural)",
    points_at="nothing",
    rule=(
        "the items of `expressions`, asked by the bare category of the thing that is meant; right as there: "
        "what `expressions` gets without the words that single out"
    ),
    items=bare_items,
    score=score,
    baselines=baselines,
)

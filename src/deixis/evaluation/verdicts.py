"""Yes and no about claims: what an answer's verdict earns where the truth is the sort of a claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.synthesis.claims import YES, Claim
from deixis.evaluation.metrics.answer_kinds import verdict
from deixis.evaluation.metrics.confidence import mean_where
from deixis.evaluation.task import Columns, Item, Outcome
from deixis.evaluation.tasks.grounding import without_braces
from deixis.regions.frames import Frame

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer
    from deixis.data.scene import Scene


def claim_items(scenes: Sequence[Scene], claims: Callable[[Scene], Iterable[Claim]]) -> list[Item[str]]:
    """Return an item for every claim about the scenes, which asks of the thing's box whether it is so."""
    found = []
    for scene in scenes:
        frame = Frame.original(scene.width, scene.height)
        for claim in claims(scene):
            region = (("it", scene.thing(claim.thing).box.bind(frame)),)
            question = f"is {{it}} {without_braces(claim.said)}?"
            found.append(Item(scene.id, question, truth=claim.truth, regions=region))
    return found


def judged_verdict(answer: Answer, item: Item[str], *, sorts: Sequence[str]) -> Outcome:
    """Judge the first yes or no of an answer; one without, or one that cannot be parsed, is wrong."""
    yes = None if answer.parse_failures else verdict(answer)
    numbers = {
        "right": float(yes is (item.truth == YES)),
        "said_yes": float(yes is True),
        "unclear": float(yes is None),
        **{sort: float(item.truth == sort) for sort in sorts},
    }
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[str]]) -> dict[str, float]:
    """Return what yes to everything earns."""
    return {"always_yes": float(np.mean([item.truth == YES for item in asked]))}


def measured_verdicts(columns: Columns, *, sorts: Sequence[str]) -> dict[str, float]:
    """Return the share of right answers, also of each sort, and how often it said yes or neither."""
    return {
        "right": float(columns["right"].mean()),
        **{f"right_{sort}": mean_where(columns["right"], columns[sort] > 0) for sort in sorts},
        "said_yes": float(columns["said_yes"].mean()),
        "unclear": float(columns["unclear"].mean()),
    }

"""Nowhere: is what the picture does not contain told from what it does, when both are asked for alike?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, phrases_of
from deixis.evaluation.absent_phrases import absent_uniformly, generator
from deixis.evaluation.metrics.confidence import UNDEFINED, auroc, mean_where
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks import grounding
from deixis.evaluation.tasks.grounding import PROMPT, Boxes, where

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

UNDECIDED = 0.5  # of two answers, a scoreless one is the more absent as often as not


def items(scenes: Sequence[Scene], seed: int) -> list[Item[Boxes]]:
    """Return the items of grounding, and as many for absent phrases, whose truth has no boxes."""
    book = Phrasebook(scenes)
    missing = [
        Item[Boxes](scene.id, where(phrase), truth=())
        for scene in scenes
        for phrase in absent_uniformly(
            scene, count=len(phrases_of(scene)), book=book, rng=generator(scene, seed)
        )
    ]
    return [*grounding.items(scenes, seed), *missing]


def score(answer: Answer, item: Item[Boxes]) -> Outcome:
    """Return how likely an answer says the thing is absent, and whether it decided so.

    An answer that cannot be parsed has no score and did not decide.
    """
    failed = bool(answer.parse_failures)
    said = None if failed else answer.nowhere_score
    numbers = {
        "score": said or 0.0,
        "scored": float(said is not None),
        "absent": float(not item.truth),
        "refused": float(answer.nowhere and not failed),
    }
    return Outcome(numbers, parse_failed=failed)


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Boxes]]) -> dict[str, float]:
    """Return the area under the curve of one score for everything."""
    return {"constant_score": 0.5}


def measure(columns: Columns) -> dict[str, float]:
    """Return the area under the curve, the refused shares of both kinds, and the share without a score.

    Every pair with an unscored answer counts one half. Undefined (NaN) is what needs a kind that is not
    there: the area, and that kind's share.
    """
    absent, scored = columns["absent"] > 0, columns["scored"] > 0
    pairs = int(absent.sum() * (~absent).sum())
    scored_pairs = int((absent & scored).sum() * (~absent & scored).sum())
    area = UNDECIDED if pairs else UNDEFINED
    if scored_pairs:
        area += (auroc(columns["score"][scored], absent[scored]) - UNDECIDED) * scored_pairs / pairs
    return {
        "auroc": area,
        "refused_absent": mean_where(columns["refused"], absent),
        "refused_present": mean_where(columns["refused"], ~absent),
        "unscored": float(1 - scored.mean()),
    }


NOWHERE: Task[Boxes] = Task(
    name="nowhere",
    places=True,
    title="detection of absence",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt=PROMPT,
    points_at="nothing",
    rule=(
        "the items of `grounding`, and as many distinct phrases of the split, drawn uniformly, whose head "
        "noun no caption of the picture uses; value: the area under the ROC curve of `nowhere_score`, which "
        "is how often an absent phrase has a higher one than a present phrase, equal ones counted half; an "
        "answer without a score counts half in every pair, `unscored` is their share; `refused_absent`, "
        "`refused_present`: how often the answer says nowhere, of each kind"
    ),
    items=items,
    score=score,
    baselines=baselines,
    measure=measure,
)

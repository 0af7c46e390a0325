"""Calibration: does the score of a place say how likely the place is right? On the items of grounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deixis.data.scene import Scene
from deixis.evaluation.metrics.confidence import BINS, auroc, expected_calibration_error, mean_where
from deixis.evaluation.metrics.top_place import best_place, hits
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks.grounding import PROMPT, Boxes, items

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


def score(answer: Answer, item: Item[Boxes]) -> Outcome:
    """Return the score of the top place and whether it is right; both 0 where there is no place."""
    place = best_place(answer)
    numbers = {
        "score": 0.0 if place is None else place.score,
        "right": float(hits(None if place is None else place.box, item.truth)),
        "placed": float(place is not None),
    }
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Boxes]]) -> dict[str, float]:
    """Return the area under the curve of one score for everything."""
    return {"constant_score_auroc": 0.5}


def measure(columns: Columns) -> dict[str, float]:
    """Return calibration error and area under the curve over the items with a place, and their share.

    mean_score, right: means over them; a mean score above the share of right ones is too sure of itself.
    All but their share are undefined (NaN) where no item has a place, the area also where all places are
    right, or none is.
    """
    placed = columns["placed"] > 0
    scores, right = columns["score"][placed], columns["right"][placed] > 0
    return {
        "calibration_error": expected_calibration_error(scores, right),
        "auroc": auroc(scores, right),
        "placed": float(placed.mean()),
        "mean_score": mean_where(columns["score"], placed),
        "right": mean_where(columns["right"], placed),
    }


CALIBRATION: Task[Boxes] = Task(
    name="calibration",
    places=True,
    title="calibration of scores",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt=PROMPT,
    points_at="nothing",
    rule=(
        "the items of `grounding`; value: the expected calibration error of the top place's score against "
        f"its being right (IoU >= 0.5 with any box), over {BINS} bins of equal width: lower is better, 0 is "
        "best; `auroc`: how often a right place has a higher score than a wrong one, higher is better; items "
        "without a place are in `n` but in neither number; `placed`: the share of items that have one; "
        "`mean_score`, `right`: the means over these"
    ),
    items=items,
    score=score,
    baselines=baselines,
    measure=measure,
)

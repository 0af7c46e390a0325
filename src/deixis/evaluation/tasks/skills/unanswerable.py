"""Unanswerable: does it say so of questions that can't be answered, and of those alone?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Scene
from deixis.errors import RecordError
from deixis.evaluation.metrics.confidence import mean_where
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks.skills.asked_answers import refuses
from deixis.evaluation.tasks.skills.asked_sheet import CANNOT, AnswerableTruth, read_unanswerable_sheet

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


def items(scenes: Sequence[Scene], seed: int) -> list[Item[AnswerableTruth]]:
    """Return the entries of the sheet whose pictures are among the scenes.

    RecordError for a picture of another size than the one that the sheet was written about.
    """
    sizes = {scene.id: (scene.width, scene.height) for scene in scenes}
    found = [item for item in read_unanswerable_sheet() if item.picture in sizes]
    for item in found:
        if item.truth.size != sizes[item.picture]:
            raise RecordError(
                f"entry {item.truth.id} is about picture {item.picture} of {item.truth.size} pixels, that of "
                f"the dataset has {sizes[item.picture]}. Was the picture resized?"
            )
    return found


def score(answer: Answer, item: Item[AnswerableTruth]) -> Outcome:
    """Judge whether an answer says that it can't tell just where it can't."""
    refused, truth = refuses(answer), item.truth
    numbers = {
        "right": float(refused != truth.answerable),
        "refused": float(refused),
        "answerable": float(truth.answerable),
        **{kind: float(not truth.answerable and truth.kind == kind) for kind in CANNOT},
    }
    failure = "" if refused != truth.answerable else f"{truth.id}: {'refused' if refused else 'answered'}"
    return Outcome(numbers, parse_failed=bool(answer.parse_failures) and not refused, failure=failure)


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[AnswerableTruth]]) -> dict[str, float]:
    """Return what answering everything, and refusing everything, earns in the mean over both halves."""
    return {"answer_everything": 0.5, "refuse_everything": 0.5} if asked else {}


def measure(columns: Columns) -> dict[str, float]:
    """Return the mean over both halves of the rate that is right, and how often each half is refused."""
    can = columns["answerable"] > 0
    refused_cannot = mean_where(columns["refused"], ~can)
    refused_can = mean_where(columns["refused"], can)
    kinds = {kind: columns[kind] > 0 for kind in CANNOT}
    return {
        "balanced": float(np.mean([refused_cannot, 1 - refused_can])),
        "refused_unanswerable": refused_cannot,
        "refused_answerable": refused_can,
        **{
            f"refused_{kind}": mean_where(columns["refused"], own) for kind, own in kinds.items() if own.any()
        },
    }


UNANSWERABLE: Task[AnswerableTruth] = Task(
    name="unanswerable",
    title="questions that can't be answered",
    needs="photos of the split val of flickr_grounding, which its sheet is about",
    prompt="questions in everyday English from a sheet; some are in other languages, or nonsense",
    points_at="a box or point of the sheet, or nothing",
    rule=(
        "the entries of the sheet whose pictures are in the split: about half can be answered from the "
        "photo, the others can't: text to be read, names, reasons, what no picture shows, verdicts about "
        "people, other languages, nonsense. An answer refuses if it says so (`unanswerable`) or the question "
        "was refused as it stood; one that is said to be nowhere does not refuse. value: the mean of the "
        "share of refused ones that can't be answered and of answered ones that can; "
        "`refused_unanswerable`, `refused_answerable`: how often each half is refused, then by kind"
    ),
    items=items,
    score=score,
    baselines=baselines,
    measure=measure,
)

"""Verification: is this what it is said to be? As many questions whose answer is yes as no."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from deixis.data.scene import Scene
from deixis.data.synthesis.claims import FAR, NEAR, YES, claims_about
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.evaluation.task import Item, Task
from deixis.evaluation.verdicts import baselines, claim_items, judged_verdict, measured_verdicts

SORTS = (YES, NEAR, FAR)


def items(scenes: Sequence[Scene], seed: int) -> list[Item[str]]:
    """Return two items for every thing that some phrase means alone: what it is, and what it is not."""
    return claim_items(scenes, partial(claims_about, book=Phrasebook(scenes), seed=seed))


VERIFICATION: Task[str] = Task(
    name="verification",
    title="yes or no about a region",
    needs="boxes that some phrase of a caption means alone, or categories of which every thing is boxed",
    prompt="is {it} {noun with its article}?",
    points_at="the box",
    rule=(
        "every box that some phrase means alone, asked twice: with the noun of one of its phrases, and with "
        "one that is not its own, by turns of a box of another supercategory in the same picture (`near`) "
        "and of a phrase of the split whose head noun no caption of the picture uses (`far`); right if the "
        "first yes or no outside of the answer's phrases is true; `unclear`: how often there was neither, "
        "which is wrong; `right_yes`, `right_near`, `right_far`: the rate over each sort"
    ),
    items=items,
    score=partial(judged_verdict, sorts=SORTS),
    baselines=baselines,
    measure=partial(measured_verdicts, sorts=SORTS),
)

"""Attributes: is this red? As many questions whose answer is yes as no."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from deixis.data.scene import Scene
from deixis.data.synthesis.claims import YES
from deixis.data.synthesis.qualities import UNSAID, Qualities
from deixis.evaluation.task import Item, Task
from deixis.evaluation.verdicts import baselines, claim_items, judged_verdict, measured_verdicts

SORTS = (YES, UNSAID)


def items(scenes: Sequence[Scene], seed: int) -> list[Item[str]]:
    """Return two items for every thing of known qualities: what it is like, and what is never said of it."""
    return claim_items(scenes, partial(Qualities(scenes).claims_about, seed=seed))


ATTRIBUTES: Task[str] = Task(
    name="attributes",
    title="attributes",
    needs='captions whose phrases tell qualities of boxed things ("a red hat"), each used often enough',
    prompt="is {it} {a word that stands before nouns}?",
    points_at="the box",
    rule=(
        "every box that some phrase means alone and whose phrases tell a quality (a word before the noun "
        "that at least ten phrases of the split have there, more than have it as their noun), asked twice: "
        "with such a quality, and with one that none of its phrases has, by turns drawn uniformly and by "
        "frequency; right if the first yes or no outside of the answer's phrases is true; `unclear`: how "
        "often there was neither, which is wrong; `right_yes`, `right_unsaid`: the rate over each sort. What "
        "no phrase says may still be so"
    ),
    items=items,
    score=partial(judged_verdict, sorts=SORTS),
    baselines=baselines,
    measure=partial(measured_verdicts, sorts=SORTS),
)

"""Choosing: is this the one thing or the other?"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.synthesis.claims import FAR, NEAR, claims_about
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.english.nouns import head_noun
from deixis.evaluation.metrics.answered_noun import answered_noun
from deixis.evaluation.metrics.confidence import mean_where
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks.grounding import without_braces
from deixis.regions.frames import Frame

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer
    from deixis.data.scene import Scene


@dataclass(frozen=True)
class Choice:
    """The noun of what a thing is, that of what it is not, of which sort that is, and which comes first."""

    right: str
    wrong: str
    sort: str
    right_first: bool


def items(scenes: Sequence[Scene], seed: int) -> list[Item[Choice]]:
    """Return an item for every thing that some phrase means alone: what it is or something else."""
    book = Phrasebook(scenes)
    found = []
    for scene in scenes:
        frame = Frame.original(scene.width, scene.height)
        claims = list(claims_about(scene, book=book, seed=seed))
        for own, other in zip(claims[::2], claims[1::2], strict=True):
            rng = np.random.default_rng([seed, zlib.crc32(f"{scene.id}/{own.thing}/or".encode())])
            right_first = bool(rng.random() < 0.5)
            names = (own.said, other.said) if right_first else (other.said, own.said)
            question = "is {{it}} {} or {}?".format(*map(without_braces, names))
            truth = Choice(head_noun(own.said), head_noun(other.said), other.truth, right_first)
            region = (("it", scene.thing(own.thing).box.bind(frame)),)
            found.append(Item(scene.id, question, truth=truth, regions=region))
    return found


def score(answer: Answer, item: Item[Choice]) -> Outcome:
    """Judge the noun of an answer; one that is neither, or that cannot be parsed, is wrong."""
    noun = "" if answer.parse_failures else answered_noun(answer.text)
    numbers = {
        "right": float(noun == item.truth.right),
        "neither": float(noun not in (item.truth.right, item.truth.wrong)),
        **{sort: float(item.truth.sort == sort) for sort in (NEAR, FAR)},
    }
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Choice]]) -> dict[str, float]:
    """Return what the first of the two earns as the answer to everything."""
    return {"always_the_first": float(np.mean([item.truth.right_first for item in asked]))}


def measure(columns: Columns) -> dict[str, float]:
    """Return the share of right answers, also by sort of the wrong noun, and of answers that are neither."""
    return {
        "right": float(columns["right"].mean()),
        **{f"right_{sort}": mean_where(columns["right"], columns[sort] > 0) for sort in (NEAR, FAR)},
        "neither": float(columns["neither"].mean()),
    }


CHOOSING: Task[Choice] = Task(
    name="choosing",
    title="choice of two names for a region",
    needs="boxes that some phrase of a caption means alone, or categories of which every thing is boxed",
    prompt="is {it} {noun with its article} or {another noun with its article}?",
    points_at="the box",
    rule=(
        "every box that some phrase means alone, asked once with the two nouns of `verification`, its own "
        "and one that is not, in an order drawn for each; right if the head noun of the answer (as of "
        "`naming`) is its own; `neither`: how often it is neither, which is wrong; `right_near`, "
        "`right_far`: the rate by where the other noun comes from"
    ),
    items=items,
    score=score,
    baselines=baselines,
    measure=measure,
)

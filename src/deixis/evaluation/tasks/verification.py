"""Verification: is this what it is said to be? As many questions whose answer is yes as no."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.lots import pick
from deixis.data.phrasebook import Phrasebook, caption_words, phrases_of
from deixis.data.scene import Scene
from deixis.evaluation.metrics.answer_kinds import verdict
from deixis.evaluation.metrics.confidence import mean_where
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks.grounding import without_braces
from deixis.language.nouns import head_noun
from deixis.regions.frames import Frame

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

YES, NEAR, FAR = "yes", "near", "far"  # what it is; what something else in the picture is; what nothing is


def items(scenes: Sequence[Scene], seed: int) -> list[Item[str]]:
    """Return two items for every thing that some phrase means alone: what it is, and what it is not."""
    book = Phrasebook(scenes)
    found = []
    for scene in scenes:
        frame, texts = Frame.original(scene.width, scene.height), meant_alone(scene)
        for thing, own in texts.items():
            # A generator for each thing: what is asked does not depend on the other things.
            rng = np.random.default_rng([seed, zlib.crc32(f"{scene.id}/{thing}/is".encode())])
            wrong = something_else(scene, thing, texts, book=book, rng=rng)
            if wrong is None:
                continue
            region = (("it", scene.thing(thing).box.bind(frame)),)
            for text, truth in ((pick(own, rng), YES), wrong):
                question = f"is {{it}} {without_braces(book.name(text))}?"
                found.append(Item(scene.id, question, truth=truth, regions=region))
    return found


def meant_alone(scene: Scene) -> dict[int, list[str]]:
    """Return the phrases of every thing that some phrase means alone."""
    texts: dict[int, list[str]] = {}
    for text, things in phrases_of(scene).items():
        if len(things) == 1:
            texts.setdefault(things[0], []).append(text)
    return dict(sorted(texts.items()))


def something_else(
    scene: Scene,
    thing: int,
    texts: Mapping[int, list[str]],
    *,
    book: Phrasebook,
    rng: np.random.Generator,
) -> tuple[str, str] | None:
    """Return a phrase that is not of the thing, and NEAR or FAR; None where none could be drawn.

    By turns one of another thing of the picture, of another sort (of two people, each may go by the other's
    name), and one whose noun is in no caption.
    """
    nouns = {head_noun(text) for text in texts[thing]}
    others = [
        text
        for other, said in texts.items()
        if scene.thing(other).sort != scene.thing(thing).sort
        for text in said
        if head_noun(text) not in nouns
    ]
    if others and rng.random() < 0.5:
        return pick(others, rng), NEAR
    absent = None if scene.exhaustive else book.absent(caption_words(scene), rng)
    return None if absent is None else (absent, FAR)


def score(answer: Answer, item: Item[str]) -> Outcome:
    """Judge the first yes or no of an answer; one without, or one that cannot be parsed, is wrong."""
    yes = None if answer.parse_failures else verdict(answer)
    numbers = {
        "right": float(yes is (item.truth == YES)),
        "said_yes": float(yes is True),
        "unclear": float(yes is None),
        **{sort: float(item.truth == sort) for sort in (YES, NEAR, FAR)},
    }
    return Outcome(numbers, parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[str]]) -> dict[str, float]:
    """Return what yes to everything earns."""
    return {"always_yes": float(np.mean([item.truth == YES for item in asked]))}


def measure(columns: Columns) -> dict[str, float]:
    """Return the share of right answers, also of each sort, and how often it said yes or neither."""
    return {
        "right": float(columns["right"].mean()),
        **{f"right_{sort}": mean_where(columns["right"], columns[sort] > 0) for sort in (YES, NEAR, FAR)},
        "said_yes": float(columns["said_yes"].mean()),
        "unclear": float(columns["unclear"].mean()),
    }


VERIFICATION: Task[str] = Task(
    name="verification",
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
    score=score,
    baselines=baselines,
    measure=measure,
)

"""Grounding: where is each phrase that a caption uses? After the phrase grounding of Flickr30k Entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import phrases_of
from deixis.english.nouns import head_noun, is_plural
from deixis.evaluation.metrics.prior_boxes import learn_prior_boxes
from deixis.evaluation.metrics.top_place import fixed_box, hits, merged, top_place
from deixis.evaluation.task import Item, Outcome, Task
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

Boxes = tuple[Box, ...]
PROMPT = "where is {phrase}? (are, for a plural; the phrase in lower case)"
BRACES = str.maketrans("{}", "()")


def where(phrase: str) -> str:
    """Return the question for the place of a phrase.

    Braces of the phrase become parentheses: in a question they would name a region.

    >>> where("A dog"), where("two dogs")
    ('where is a dog?', 'where are two dogs?')
    """
    verb = "are" if is_plural(phrase) else "is"
    return f"where {verb} {without_braces(phrase)}?"


def without_braces(phrase: str) -> str:
    """Return the phrase as questions have it: in lower case, braces as parentheses."""
    return phrase.lower().translate(BRACES)


def asked_phrase(question: str) -> str:
    """Return the phrase that a question of two words before it asks for.

    >>> asked_phrase("where is a dog?"), asked_phrase("are there two dogs?")
    ('a dog', 'two dogs')
    """
    return question.split(" ", maxsplit=2)[2].removesuffix("?")


def items(scenes: Sequence[Scene], seed: int) -> list[Item[Boxes]]:
    """Return one item for every distinct phrase of a picture, with the boxes of all captions that use it."""
    found = []
    for scene in scenes:
        frame = Frame.original(scene.width, scene.height)
        for phrase, things in phrases_of(scene).items():
            boxes = tuple(scene.thing(thing).box.bind(frame) for thing in things)
            found.append(Item(scene.id, where(phrase), truth=boxes))
    return found


def earned(box: Box | None, truth: Boxes) -> dict[str, float]:
    """Return what a top place (None: there is none) earns under both protocols."""
    return {
        "any_box": float(hits(box, truth)),
        "merged": float(hits(box, [merged(truth)])),
        "no_place": float(box is None),
    }


def score(answer: Answer, item: Item[Boxes]) -> Outcome:
    """Judge the top place of an answer."""
    return Outcome(earned(top_place(answer), item.truth), parse_failed=bool(answer.parse_failures))


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Boxes]]) -> dict[str, float]:
    """Return what one fixed box for everything earns under both protocols."""
    return both_earned("fixed_box", [earned(fixed_box(item.truth[0].frame), item.truth) for item in asked])


def learnt_baselines(learnt_on: Sequence[Scene], asked: Sequence[Item[Boxes]]) -> dict[str, float]:
    """Return what the box earns that is right most often for a phrase's head noun in other pictures."""
    examples = [(head_noun(asked_phrase(item.question)), item.truth) for item in items(learnt_on, 0)]
    priors = learn_prior_boxes(examples)
    blind = []
    for item in asked:
        noun = head_noun(asked_phrase(item.question))
        blind.append(earned(priors.box(noun, item.truth[0].frame), item.truth))
    return both_earned("box_by_noun", blind)


def both_earned(name: str, blind: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the means of what a blind answerer earned under both protocols."""
    return {
        name: float(np.mean([numbers["any_box"] for numbers in blind])),
        f"{name}_merged": float(np.mean([numbers["merged"] for numbers in blind])),
    }


GROUNDING: Task[Boxes] = Task(
    name="grounding",
    places=True,
    title="phrase grounding",
    needs="boxes that captions call by phrases, or categories of which every thing is boxed",
    prompt=PROMPT,
    points_at="nothing",
    rule=(
        "every distinct phrase with boxes of each picture, its boxes joined over the captions; right if the "
        "top place has IoU >= 0.5 with any of its boxes; `merged`: with the one box around them all; "
        "`no_place`: how often there was no place"
    ),
    items=items,
    score=score,
    baselines=baselines,
    learnt_baselines=learnt_baselines,
)

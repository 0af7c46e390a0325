"""Verification: each thing asked about by its own noun and another, verdicts, numbers of each sort."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deixis.answers.grounded import Answer
from deixis.data.scene import Scene, Thing
from deixis.data.synthesis.claims import FAR, NEAR, YES
from deixis.data.synthesis.phrasebook import caption_words, same_word
from deixis.english.nouns import head_noun
from deixis.evaluation.task import Item
from deixis.evaluation.tasks.verification import VERIFICATION, items
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box
from tests.evaluation.answering import said
from tests.evaluation.scenes import captioned

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))
SORTS = {"dog": "animals", "man": "people", "woman": "people", "hat": "clothing", "boat": "vehicles"}


def scene(name: str, *phrases: str) -> Scene:
    """A picture of one thing for each phrase, sorted by ``SORTS``."""
    made = captioned(name, *phrases)
    things = tuple(
        Thing(thing.id, Box(10 * n, 0, 10 * n + 5, 5), noun, supercategory=SORTS[noun])
        for n, (thing, noun) in enumerate(zip(made.things, map(head_noun, phrases), strict=True))
    )
    return replace(made, things=things)


SCENES = [
    *(scene(f"{n}", "a dog", "a man", "a woman") for n in range(20)),
    scene("hat", "a red hat"),
    scene("boat", "the boat"),
]


def test_every_thing_is_asked_about_twice_by_its_own_noun_and_another() -> None:
    found = items(SCENES, 0)
    assert [item.truth == YES for item in found] == [True, False] * (len(found) // 2)
    assert 2 * 20 * 3 <= len(found) <= 2 * (20 * 3 + 2)  # twenty draws may find nothing absent
    assert {item.truth for item in found} == {YES, NEAR, FAR}
    scenes = {one.id: one for one in SCENES}
    for item in found:
        noun = head_noun(item.question.removeprefix("is {it} ").removesuffix("?"))
        (name, region), own = item.regions[0], scenes[item.picture]
        thing = next(thing for thing in own.things if thing.box.as_tuple() == region.as_tuple())
        assert name == "it"
        if item.truth == YES:
            assert noun == thing.category
        elif item.truth == NEAR:
            assert noun in {t.category for t in own.things} and SORTS[noun] != thing.supercategory
        else:
            assert not same_word(noun, caption_words(own))


def test_questions_depend_on_the_thing_and_the_seed_only() -> None:
    assert items(SCENES, 0) == items(SCENES, 0) != items(SCENES, 1)
    assert set(items(SCENES[::-1], 0)) == set(items(SCENES, 0))


def test_nothing_is_asked_where_nothing_wrong_can_be_said() -> None:
    assert items([scene("1", "a dog")], 0) == []


@pytest.mark.parametrize(
    ("text", "yes"), [("yes, a dog.", True), ("No, a man.", False), ("A dog.", None), ("", None)]
)
@pytest.mark.parametrize("truth", [YES, NEAR, FAR])
def test_the_first_yes_or_no_is_the_verdict(text: str, yes: bool | None, truth: str) -> None:
    outcome = VERIFICATION.score(said(PICTURE, text), Item("1", "is {it} a dog?", truth))
    assert outcome.numbers["right"] == float(yes is (truth == YES))
    assert (outcome.numbers["said_yes"], outcome.numbers["unclear"]) == (
        float(yes is True),
        float(yes is None),
    )
    assert [outcome.numbers[sort] for sort in (YES, NEAR, FAR)] == [
        float(truth == sort) for sort in (YES, NEAR, FAR)
    ]


def test_an_answer_that_cannot_be_parsed_is_wrong() -> None:
    broken: Answer = said(PICTURE, "yes", parse_failures=("cut",))
    outcome = VERIFICATION.score(broken, Item("1", "is {it} a dog?", YES))
    assert outcome.parse_failed and outcome.numbers["right"] == 0 and outcome.numbers["unclear"] == 1


def test_numbers_of_each_sort() -> None:
    columns = {
        "right": np.array([1.0, 0.0, 1.0, 0.0]),
        "said_yes": np.array([1.0, 0.0, 0.0, 1.0]),
        "unclear": np.array([0.0, 1.0, 0.0, 0.0]),
        YES: np.array([1.0, 1.0, 0.0, 0.0]),
        NEAR: np.array([0.0, 0.0, 1.0, 0.0]),
        FAR: np.array([0.0, 0.0, 0.0, 1.0]),
    }
    assert VERIFICATION.measure(columns) == {
        "right": 0.5,
        "right_yes": 0.5,
        "right_near": 1.0,
        "right_far": 0.0,
        "said_yes": 0.5,
        "unclear": 0.25,
    }

"""Choosing and attributes: what is asked, in which order, and what counts as right."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.data.synthesis.claims import FAR, NEAR, YES
from deixis.data.synthesis.qualities import UNSAID
from deixis.english.nouns import head_noun
from deixis.evaluation.task import Item
from deixis.evaluation.tasks import attributes, choosing, verification
from deixis.evaluation.tasks.choosing import Choice
from deixis.pictures.opening import open_picture
from tests.evaluation.answering import said
from tests.evaluation.test_verification import SCENES, scene

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))


def test_a_choice_is_between_the_two_nouns_of_verification() -> None:
    asked, choices = verification.items(SCENES, 0), choosing.items(SCENES, 0)
    assert len(asked) == 2 * len(choices) > 0
    first = 0
    for own, other, choice in zip(asked[::2], asked[1::2], choices, strict=True):
        nouns = [head_noun(one.question.removeprefix("is {it} ").removesuffix("?")) for one in (own, other)]
        assert [choice.truth.right, choice.truth.wrong] == nouns
        assert choice.truth.sort == other.truth in (NEAR, FAR)
        assert (choice.picture, choice.regions) == (own.picture, own.regions)
        left, right = choice.question.removeprefix("is {it} ").removesuffix("?").split(" or ")
        assert [head_noun(left), head_noun(right)] == (nouns if choice.truth.right_first else nouns[::-1])
        first += choice.truth.right_first
    assert 0.3 < first / len(choices) < 0.7


@pytest.mark.parametrize(
    ("text", "right", "neither"),
    [("A dog.", 1.0, 0.0), ("it is a brown dog.", 1.0, 0.0), ("A hat.", 0.0, 0.0), ("Yes, a cup.", 0.0, 1.0)],
)
def test_the_noun_of_the_answer_is_the_choice(text: str, right: float, neither: float) -> None:
    item = Item("1", "is {it} a dog or a hat?", truth=Choice("dog", "hat", FAR, right_first=True))
    numbers = choosing.score(said(PICTURE, text), item).numbers
    assert (numbers["right"], numbers["neither"], numbers[FAR], numbers[NEAR]) == (right, neither, 1.0, 0.0)


def test_the_first_of_two_is_the_baseline() -> None:
    items = [
        Item("1", "", truth=Choice("dog", "hat", FAR, right_first=first)) for first in (True, True, False)
    ]
    assert choosing.baselines([], items) == {"always_the_first": pytest.approx(2 / 3)}


def test_attributes_are_asked_for_as_yes_and_as_no() -> None:
    scenes = [scene(f"{n}", "a red dog", "a big hat") for n in range(12)]
    items = attributes.items(scenes, 0)
    assert [item.truth for item in items] == [YES, UNSAID] * 24
    assert {item.question for item in items} == {"is {it} red?", "is {it} big?"}
    task = attributes.ATTRIBUTES
    for text, truth, right in (("Yes, red.", YES, 1.0), ("No, big.", UNSAID, 1.0), ("Red.", YES, 0.0)):
        numbers = task.score(said(PICTURE, text), Item("1", "is {it} red?", truth)).numbers
        assert (numbers["right"], numbers[truth]) == (right, 1.0)

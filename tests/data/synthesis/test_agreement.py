"""Dialogues are written in right English: verbs, pronouns and articles go with their nouns."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deixis.data.synthesis.dialogue_writer import write_dialogues
from tests.data.synthesis.test_views import seen_scene


def answers(phrase: str, kind: str) -> list[str]:
    """Return answers of dialogues about a picture that shows what a phrase says."""
    seen = seen_scene(phrase, phrase, mirror=0)
    rng = np.random.default_rng(0)
    written = [dialogue for _ in range(12) for dialogue in write_dialogues(seen, kind, 1, rng)]
    assert written
    return [dialogue.turns[0].answer for dialogue in written]


@pytest.mark.parametrize("phrase", ["the skis", "white tulips", "two men", "a few dogs", "bride and groom"])
def test_several_things_are_here(phrase: str) -> None:
    assert all(answer.endswith(" are here.") for answer in answers(phrase, "locate"))
    assert all(re.search(r"\? (yes|no), they are ", answer) for answer in answers(phrase, "presence"))


@pytest.mark.parametrize(
    "phrase", ["the bus", "a glass of beer", "some water", "a man standing", "gymnastics"]
)
def test_one_thing_is_here(phrase: str) -> None:
    assert all(answer.endswith(" is here.") for answer in answers(phrase, "locate"))
    assert all(re.search(r"\? (yes|no), it is ", answer) for answer in answers(phrase, "presence"))


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("white tulips", "tulips."), ("the old heir", "an heir."), ("a man standing", "a man."),
        ("the new furniture", "furniture."), ("a tall, thin unicorn", "a unicorn."), ("red skis", "skis."),
        ("x-ray", "an x-ray."), ("a car parked on the street", "a car."), ("her hour", "an hour."),
    ],
)  # fmt: skip
def test_names_have_their_article(phrase: str, name: str) -> None:
    assert set(answers(phrase, "name")) == {name}


@pytest.mark.parametrize(
    ("phrase", "counted"),
    [("a man", "men"), ("a puppy", "puppies"), ("a knife", "knives"), ("one glass", "glasses")],
)
def test_kinds_are_counted_in_the_plural(phrase: str, counted: str) -> None:
    assert f"{counted}: one." in answers(phrase, "count")

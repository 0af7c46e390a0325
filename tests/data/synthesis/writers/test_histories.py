"""Dialogues of several turns: some go on from what was said, some have nothing to do with it."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from deixis.data.synthesis.dialogue_writer import write_dialogues
from deixis.data.synthesis.question_writer import pattern
from deixis.data.synthesis.templates.follow_ups import (
    FURTHER,
    FURTHER_COUNT,
    FURTHER_NAME,
    FURTHER_PHRASE,
    FURTHER_WHERE,
)
from deixis.records.dialogue import Dialogue
from tests.data.synthesis.test_views import seen_pair, seen_scene

SEEN = 200


def drawn(*phrases: tuple[str, tuple[int, ...]]) -> list[Dialogue]:
    """Return many dialogues about two dogs of which captions say these phrases."""
    seen, rng = seen_pair(*phrases), np.random.default_rng(0)
    return [dialogue for _ in range(SEEN) for dialogue in write_dialogues(seen, "two_turns", 1, rng)]


def worded_like(wordings: tuple[str, ...], question: str) -> bool:
    """Tell whether a question is one of these and names nothing: it can't be answered by itself."""
    if re.search("dog|pupp", question):
        return False
    return any(re.fullmatch(pattern(wording), question.rstrip(".?")) for wording in wordings)


def test_turns_follow_or_not_and_there_are_up_to_three() -> None:
    dialogues = drawn(("a big puppy", (1,)), ("a brown dog", (2,)))
    lengths = Counter(len(dialogue.turns) for dialogue in dialogues)
    assert set(lengths) == {2, 3} and min(lengths.values()) > SEEN / 10
    follow = [worded_like(FURTHER + FURTHER_WHERE, dialogue.turns[1].question) for dialogue in dialogues]
    assert 0.25 * len(follow) < sum(follow) < 0.75 * len(follow)
    beginnings = Counter("{" in dialogue.turns[0].question for dialogue in dialogues)
    assert min(beginnings[True], beginnings[False]) > SEEN / 10, "regions and phrases both begin"


@pytest.mark.parametrize("phrase", ["a brown dog", "two dogs"])
def test_a_follow_up_is_about_what_was_spoken_of(phrase: str) -> None:
    meant = (2,) if phrase == "a brown dog" else (1, 2)
    dialogues = drawn(("a big puppy", (1,)), (phrase, meant))
    places = 0
    for first, second, *_ in (dialogue.turns for dialogue in dialogues):
        if worded_like(FURTHER_WHERE, second.question) and first.marks:
            assert second.marks[0].boxes == first.marks[0].boxes and second.marks[0].boxes
            assert second.answer.split(" is ")[0].removeprefix("a ") in first.answer
            places += 1
        if worded_like(FURTHER, second.question) and first.marks:
            assert first.marks[0].boxes[0].as_tuple() == (2, 2, 30, 30) or "brown" in second.answer
    assert places > 5


def test_who_hears_that_dogs_are_there_asks_how_many() -> None:
    counted = [
        turns[:2]
        for turns in (dialogue.turns for dialogue in drawn(("a big puppy", (1,)), ("two dogs", (1, 2))))
        if worded_like(FURTHER_COUNT, turns[1].question)
    ]
    assert len(counted) > 3
    for first, second in counted:
        assert "yes" in first.answer and second.marks[0].boxes == first.marks[0].boxes
        assert second.answer in ("dogs: two.", "puppies: one.", "puppys: one.")


def test_nothing_is_asked_where_nothing_is_known() -> None:
    seen = seen_scene("a dog runs", "a dog", mirror=0, zoom=4)
    assert write_dialogues(seen, "two_turns", 3, np.random.default_rng(0)) == []


def test_the_same_may_be_asked_of_something_else() -> None:
    dialogues = drawn(("a big puppy", (1,)), ("a brown dog", (2,)))
    seen: Counter[str] = Counter()
    for first, second, *_ in (dialogue.turns for dialogue in dialogues):
        question = second.question.rstrip(".?")
        of_region = any(re.fullmatch(pattern(wording), question) for wording in FURTHER_NAME)
        of_phrase = any(re.fullmatch(pattern(wording), question) for wording in FURTHER_PHRASE)
        if of_region and first.regions and not first.marks:
            assert second.regions and not second.marks
            seen["region"] += 1
        elif of_phrase and first.marks and second.marks:
            assert ("? " in first.answer) is ("? " in second.answer), "whether behind whether"
            there = bool(second.marks[0].boxes)
            assert there is not ("not in the picture" in second.answer)
            seen["there" if there else "absent"] += 1
    assert min(seen["region"], seen["there"]) > 5

"""Wordings: every choice occurs, slots are filled, and a pattern knows every question that comes of one."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deixis.data.synthesis.question_writer import LOOSE, pattern, question_from, roughened
from deixis.data.synthesis.templates.questions import (
    ALL,
    COMPARE,
    NAME_KIND,
    PRESENCE,
    RELATE,
    SAME,
    WHERE,
    all_words,
)

SLOTS = {"", "it", "a", "b"}


@pytest.mark.parametrize("wording", sorted(set(ALL)))
def test_drawn_questions_fit_their_pattern(wording: str) -> None:
    rng = np.random.default_rng(0)
    known = re.compile(pattern(wording))
    drawn = {question_from(wording, rng, phrase="red hats", many=True, loosely=False) for _ in range(40)}
    for question in drawn:
        assert known.fullmatch(question.rstrip(".?")), question
        assert "|" not in question and "<" not in question and "{}" not in question
        assert "  " not in question and question == question.strip()
    alternatives = [choice.count("|") + 1 for choice in re.findall(r"\(([^()]*)\)", wording)]
    assert len({question.rstrip(".?") for question in drawn}) >= min(max(alternatives, default=1), 3)


def test_slots_are_those_that_a_dialogue_fills() -> None:
    for wording in ALL:
        slots = SLOTS | {"kind"} if wording in NAME_KIND else SLOTS
        assert set(re.findall(r"\{(.*?)\}", wording)) <= slots, wording
    for wording in (*RELATE, *COMPARE, *SAME):
        assert wording.count("{a}") == wording.count("{b}") == 1, wording
    for wording in (*WHERE, *PRESENCE):
        assert wording.count("{}") == 1, wording


@pytest.mark.parametrize(("many", "verb"), [(False, "is"), (True, "are")])
def test_the_verb_agrees(many: bool, verb: str) -> None:
    assert (
        question_from("where <be> {}", np.random.default_rng(0), phrase="x", many=many, loosely=False)
        == f"where {verb} x"
    )


def test_a_phrase_is_never_read_as_a_wording() -> None:
    text = question_from("find {}", np.random.default_rng(0), phrase="a (big|small) <be> {it}", loosely=False)
    assert text == "find a (big|small) <be> {it}"


def test_all_words_are_all_words() -> None:
    words = set(" ".join(all_words()).replace("?", " ").replace(".", " ").split())
    assert {"please", "locate", "is", "are", "anywhere", "visible"} <= words
    assert not any("|" in word for word in words)


def test_where_and_whether_are_worded_apart() -> None:
    """A question that could be drawn for either could not be answered as either."""
    rng = np.random.default_rng(1)
    places = {
        question_from(w, rng, phrase="dogs", many=True, loosely=False).rstrip(".?")
        for w in WHERE
        for _ in range(60)
    }
    whether = {
        question_from(w, rng, phrase="dogs", many=True, loosely=False).rstrip(".?")
        for w in PRESENCE
        for _ in range(60)
    }
    assert places.isdisjoint(whether)


@pytest.mark.parametrize("wording", sorted(set(ALL)))
def test_a_rough_question_keeps_its_slots_its_mark_and_some_of_its_words(wording: str) -> None:
    rng = np.random.default_rng(0)
    text = question_from(wording, rng, phrase="{x}", loosely=False).rstrip(".?") + "?"
    known = set(re.findall(r"[a-z]+", text)) | {word for loose in LOOSE for word in loose.split()}
    for _ in range(20):
        rough = roughened(text, rng)
        assert re.findall(r"\{[a-z]*\}", rough) == re.findall(r"\{[a-z]*\}", text)
        assert set(re.findall(r"[a-z]+", rough)) <= known
        assert rough == rough.strip() and "  " not in rough and rough
        assert rough[-1] == text[-1]


def test_questions_are_rough_only_where_that_is_asked_for_and_then_some_of_them() -> None:
    def drawn(*, loosely: bool) -> list[str]:
        rng = np.random.default_rng(0)
        return [question_from("where is {} now?", rng, phrase="a (b|c)", loosely=loosely) for _ in range(300)]

    plain = {"where is a (b|c) now?", "where is a (b|c) now"}
    assert set(drawn(loosely=False)) == plain
    assert 0.7 < sum(text in plain for text in drawn(loosely=True)) / 300 < 0.95
    assert all("a (b|c)" in text for text in drawn(loosely=True))

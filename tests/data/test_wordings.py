"""Wordings: every choice occurs, slots are filled, and a pattern knows every question that comes of one."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deixis.data.wordings import ALL, COMPARE, PRESENCE, RELATE, SAME, WHERE, pattern, spelt_out, worded

SLOTS = {"", "it", "a", "b"}


@pytest.mark.parametrize("wording", sorted(set(ALL)))
def test_drawn_questions_fit_their_pattern(wording: str) -> None:
    rng = np.random.default_rng(0)
    known = re.compile(pattern(wording))
    drawn = {worded(wording, rng, phrase="red hats", many=True) for _ in range(40)}
    for question in drawn:
        assert known.fullmatch(question.rstrip(".?")), question
        assert "|" not in question and "<" not in question and "{}" not in question
        assert "  " not in question and question == question.strip()
    alternatives = [choice.count("|") + 1 for choice in re.findall(r"\(([^()]*)\)", wording)]
    assert len({question.rstrip(".?") for question in drawn}) >= min(max(alternatives, default=1), 3)


def test_slots_are_those_that_a_dialogue_fills() -> None:
    for wording in ALL:
        assert set(re.findall(r"\{(.*?)\}", wording)) <= SLOTS, wording
    for wording in (*RELATE, *COMPARE, *SAME):
        assert wording.count("{a}") == wording.count("{b}") == 1, wording
    for wording in (*WHERE, *PRESENCE):
        assert wording.count("{}") == 1, wording


@pytest.mark.parametrize(("many", "verb"), [(False, "is"), (True, "are")])
def test_the_verb_agrees(many: bool, verb: str) -> None:
    assert worded("where <be> {}", np.random.default_rng(0), phrase="x", many=many) == f"where {verb} x"


def test_a_phrase_is_never_read_as_a_wording() -> None:
    text = worded("find {}", np.random.default_rng(0), phrase="a (big|small) <be> {it}")
    assert text == "find a (big|small) <be> {it}"


def test_all_words_are_spelt_out() -> None:
    words = set(" ".join(spelt_out()).replace("?", " ").replace(".", " ").split())
    assert {"please", "locate", "is", "are", "anywhere", "visible"} <= words
    assert not any("|" in word for word in words)


def test_where_and_whether_are_worded_apart() -> None:
    """A question that could be drawn for either could not be answered as either."""
    rng = np.random.default_rng(1)
    places = {worded(w, rng, phrase="dogs", many=True).rstrip(".?") for w in WHERE for _ in range(60)}
    whether = {worded(w, rng, phrase="dogs", many=True).rstrip(".?") for w in PRESENCE for _ in range(60)}
    assert places.isdisjoint(whether)

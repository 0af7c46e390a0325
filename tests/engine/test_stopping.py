"""Ending before a stop: whatever the parts in which a text comes, it is cut where the first stop begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.engine.stopping import StopFilter, begun

LETTERS = "ab#"
TEXTS = st.text(LETTERS, max_size=20)
STOPS = st.lists(st.text(LETTERS, min_size=1, max_size=4), max_size=3)


def cut(text: str, stops: list[str]) -> str:
    """Return a text up to the first of the stops."""
    return text[: min((place for stop in stops if (place := text.find(stop)) >= 0), default=len(text))]


@given(parts=st.lists(TEXTS, max_size=8), stops=STOPS)
def test_what_comes_through_is_the_text_up_to_the_first_stop(parts: list[str], stops: list[str]) -> None:
    stop, text, shown = StopFilter(stops), "", ""
    for part in parts:
        before = stop.hit
        passed = stop.add(part)
        assert not (before and passed), "nothing comes behind a stop"
        text, shown = text + part, shown + passed
        # A stop that begins later may hide nothing; one that is complete ends the text at once.
        assert cut(text, stops).startswith(shown)
        assert stop.hit == any(one in text for one in stops)
    assert shown + stop.close() == cut(text, stops)
    assert stop.close() == "", "nothing is left for a second time"


@given(parts=st.lists(TEXTS, max_size=8), stops=STOPS)
def test_nothing_waits_longer_than_it_must(parts: list[str], stops: list[str]) -> None:
    """What is held back might be the beginning of a stop."""
    stop, text, shown = StopFilter(stops), "", ""
    for part in parts:
        text, shown = text + part, shown + stop.add(part)
        if not stop.hit:
            held = text[len(shown) :]
            assert held == "" or any(one.startswith(held) for one in stops)


def test_without_stops_text_passes_as_it_comes() -> None:
    stop = StopFilter(())
    assert [stop.add(part) for part in ("a", "", "###")] == ["a", "", "###"]
    assert (stop.close(), stop.hit) == ("", False)


def test_the_first_stop_in_the_text_counts_not_the_first_in_the_list() -> None:
    stop = StopFilter(("zebra", "dog"))
    assert stop.add("a dog and a zebra") == "a " and stop.hit


def test_a_beginning_that_leads_nowhere_is_shown() -> None:
    stop = StopFilter(("###",))
    assert [stop.add(part) for part in ("a #", "#", " b", "##")] == ["a ", "", "## b", ""]
    assert stop.close() == "##" and not stop.hit


@pytest.mark.parametrize(
    ("text", "stop", "count"),
    [("aab", "abc", 2), ("abc", "abc", 0), ("", "a", 0), ("aaa", "aaaa", 3), ("x", "a", 0)],
)
def test_how_much_of_a_stop_has_begun(text: str, stop: str, count: int) -> None:
    assert begun(text, stop) == count

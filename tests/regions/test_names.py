"""Where a text points, and how it says braces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.regions.names import Part, escaped, names_in, split_names, unknown_name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("What is {it}?", [Part("What is ", "it"), Part("?")]),
        ("{a}{b}", [Part("", "a"), Part("", "b"), Part("")]),
        ("{{it}}", [Part("{it}")]),
        ("{{{it}}}", [Part("{", "it"), Part("}")]),
        ('{{"bbox_2d": [1, 2]}}', [Part('{"bbox_2d": [1, 2]}')]),
        ('{"bbox_2d": [1, 2]}', [Part("", '"bbox_2d": [1, 2]'), Part("")]),
        ("a { b", [Part("a { b")]),
        ("a } b {", [Part("a } b {")]),
        ("{}", [Part("", ""), Part("")]),
        ("", [Part("")]),
    ],
)
def test_parts(text: str, parts: list[Part]) -> None:
    assert split_names(text) == parts


@given(st.text(alphabet="{}ab ", max_size=30))
def test_escaped_words_read_as_they_are_and_point_at_nothing(text: str) -> None:
    assert split_names(escaped(text)) == [Part(text)]


@given(st.lists(st.sampled_from(["x", "{{", "}}", "{a}", "{b}"]), max_size=12))
def test_names_are_those_that_are_not_escaped(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert names_in(text) == tuple(piece[1] for piece in pieces if piece in ("{a}", "{b}"))


def test_a_long_name_is_shown_short() -> None:
    assert len(unknown_name("x" * 5000, [])) < 300

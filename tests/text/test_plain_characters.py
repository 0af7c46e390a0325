"""Typographic characters as plain ones."""

from __future__ import annotations

import pytest

from deixis.text.plain_characters import plain_characters


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("where is the man's hat?", "where is the man's hat?"),
        ("“the dog’s” hat", '"the dog\'s" hat'),
        ("a t‑shirt — red…", "a t-shirt - red..."),
        ("Ｗｈａｔ？", "What?"),
        ("ﬁre ½ № x²", "fire 1/2 No x2"),
        ("Straße, Æsop, fjøs, Łódź", "Strasse, AEsop, fjos, Lódź"),
        ("собака 狗 🐕", "собака 狗 🐕"),
    ],
)
def test_what_is_read(given: str, plain: str) -> None:
    assert plain_characters(given) == plain


def test_ascii_stays_to_the_letter() -> None:
    text = "".join(map(chr, range(128)))
    assert plain_characters(text) is text

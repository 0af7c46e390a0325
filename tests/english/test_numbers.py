"""Numbers in words and digits."""

from __future__ import annotations

import pytest

from deixis.english.numbers import NUMBER_WORDS, TENS, UP_TO_TWENTY, number_of


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("zero", 0), ("one", 1), ("twelve", 12), ("twenty", 20), ("thirty", 30), ("ninety", 90),
        ("twenty-one", 21), ("ninety-nine", 99), ("7", 7), ("2024", 2024), ("12345", None), ("dog", None),
        ("", None), ("twenty-ten", None), ("ten-one", None), ("thirty-dogs", None), ("twenty-", None),
    ],
)  # fmt: skip
def test_number_of(word: str, number: int | None) -> None:
    assert number_of(word) == number


def test_every_number_word_has_its_number() -> None:
    assert [number_of(word) for word in UP_TO_TWENTY] == list(range(21))
    assert [number_of(word) for word in TENS] == list(range(30, 100, 10))
    assert {*UP_TO_TWENTY, *TENS} == NUMBER_WORDS

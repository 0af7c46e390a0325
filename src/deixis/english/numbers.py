"""Numbers in words, up to ninety-nine."""

from __future__ import annotations

import re

UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TENS_BY_WORD = {word: 10 * ten for ten, word in enumerate(("twenty", *TENS), start=2)}
NUMBER_WORDS = frozenset((*UP_TO_TWENTY, *TENS))
DIGITS = re.compile(r"[0-9]{1,4}")


def number_of(word: str) -> int | None:
    """Return the number that a lower-cased word means, in digits or spelt out; None for any other word.

    >>> number_of("three"), number_of("twenty-one"), number_of("12"), number_of("dogs")
    (3, 21, 12, None)
    """
    if word in UP_TO_TWENTY:
        return UP_TO_TWENTY.index(word)
    if DIGITS.fullmatch(word):
        return int(word)
    tens, hyphen, ones = word.partition("-")
    if tens not in TENS_BY_WORD or (hyphen and ones not in UP_TO_TWENTY[1:10]):
        return None
    return TENS_BY_WORD[tens] + (UP_TO_TWENTY.index(ones) if hyphen else 0)

"""Soft accuracy over ten people's answers (VQA, section 3): right as far as at least three of them agree.

The answers of all people but one are looked at, ten times over; an answer is worth a third for each of the
nine that says the same, at most 1, and the ten values are averaged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources

from deixis.evaluation.metrics.rules import Rules, check_rules

ANSWERS = 10
ENOUGH = 3
SIGNS = ';/[]"{}()=+\\_-><@`,?!'
COMMA_IN_NUMBER = re.compile(r"\d,\d")
PERIOD = re.compile(r"\.(?!\d)")
ARTICLES = frozenset({"a", "an", "the"})
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DIGITS: Mapping[str, str] = {"none": "0", **{word: str(number) for number, word in enumerate(NUMBERS)}}


@cache
def contractions() -> Mapping[str, str]:
    """Return the published table of contractions; some of its entries can never be met, or are odd."""
    file = resources.files("deixis.evaluation.benchmarks.answer_rules").joinpath("contractions.json")
    table: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return table


def normalised(text: str) -> str:
    """Return an answer as VQA's evaluation compares it: no signs, articles or case, digits for numbers.

    A sign beside a blank goes, and so do all where a number is written with a comma; others become blanks.

    >>> normalised("The two dogs!"), normalised("1,000"), normalised("black/white"), normalised("dont.")
    ('2 dogs', '1000', 'black white', "don't")
    """
    return words_normalised(without_signs(one_line(text)))


def one_line(text: str) -> str:
    """Return a text without line breaks and tabs, stripped."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def without_signs(text: str) -> str:
    """Return a text without punctuation; a full stop within a number stays."""
    number = COMMA_IN_NUMBER.search(text) is not None
    result = text
    for sign in SIGNS:
        goes = number or f"{sign} " in text or f" {sign}" in text
        result = result.replace(sign, "" if goes else " ")
    return PERIOD.sub("", result)


def words_normalised(text: str) -> str:
    """Return a text's words in lower case, without articles, with digits and apostrophes."""
    words = [DIGITS.get(word, word) for word in text.lower().split()]
    return " ".join(contractions().get(word, word) for word in words if word not in ARTICLES)


def soft_accuracy(
    answer: str,
    people: Sequence[str],
    *,
    normalise: Callable[[str], str] = normalised,
    rules: Rules = "corrected",
) -> float:
    """Return what an answer is worth beside those of ten people, 0 to 1; an empty one is worth nothing.

    published: where all people say the same, to the letter, nothing is normalised but white space (so that
    "Yes" is wrong where all say "yes"). corrected: all answers are normalised alike.

    >>> soft_accuracy("Red.", ["red"] * 2 + ["blue"] * 8), soft_accuracy("red", ["red"] * 3 + ["blue"] * 7)
    (0.6, 0.9)
    >>> soft_accuracy("Yes", ["yes"] * 10), soft_accuracy("Yes", ["yes"] * 10, rules="published")
    (1.0, 0.0)
    """
    check_rules(rules)
    if rules == "published" and len(set(people)) == 1:
        normalise = one_line
    said, others = normalise(answer), [normalise(one) for one in people]
    if not said:
        return 0.0
    same = sum(one == said for one in others)
    without = [same - (one == said) for one in others]
    return round(sum(min(1.0, count / ENOUGH) for count in without) / len(others), 12)

"""Questions with lettered choices: their truth, their prompt and their mark, as most benchmarks have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import LETTERS, listed, read_letter
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Mark, Reply, Scoring, unparsed
from deixis.evaluation.benchmarks.rows.tables import cell, named
from deixis.files.json_files import Fields

LETTER_ONLY = "Answer with the option's letter from the given choices directly."
UNREAD = "wrong, and counted as unparsed: a reply that names no choice, or several; nothing is drawn for it"
METRIC = (
    "accuracy; the choice is read from the reply by rule: its letter alone, the choice's own words, what it "
    "says is the answer, or the only letter in brackets or at the beginning of a line"
)


@dataclass(frozen=True)
class Choices:
    """Choices by letter, and the right letter."""

    by_letter: Mapping[str, str]
    right: str

    def __post_init__(self) -> None:
        if self.right not in self.by_letter:
            raise RecordError(f"the answer is {self.right!r}; expected one of {', '.join(self.by_letter)}")


def choices_of(row: Fields, by_letter: Mapping[str, str], right: str) -> Choices:
    """Return the choices of a row; RecordError with its place if the right one is none of at least two."""
    if len(by_letter) < 2 or right not in by_letter:
        raise RecordError(
            f"{row.where}: the answer is {right!r} of choices {', '.join(by_letter) or 'none'}; expected the "
            "letter of one of at least two (a split without answers can't be scored here)"
        )
    return Choices(by_letter, right)


def columns_of(row: Fields, letters: str = LETTERS[:9]) -> dict[str, str]:
    """Return the choices of a row with a column for each letter; RecordError where one in between is missing.

    >>> columns_of(Fields({"A": "red", "B": "blue", "C": "nan", "D": ""}, "a.tsv:2"))
    {'A': 'red', 'B': 'blue'}
    """
    found = {letter: text for letter in letters if (text := cell(row, letter))}
    if "".join(found) != letters[: len(found)]:
        raise RecordError(f"{row.where}: has choices {', '.join(found)}; expected letters without a gap")
    return found


def answer_letter(row: Fields, name: str = "answer") -> str:
    """Return the letter that a row gives as its answer; RecordError for an empty one."""
    return named(row, name).strip().strip("().").upper()


def lettered_prompt(item: BenchmarkItem[Choices]) -> str:
    """Return the question, its choices one a line, and the request for a letter."""
    return f"{item.question}\n{listed(item.truth.by_letter)}\n{LETTER_ONLY}"


def score_letter(item: BenchmarkItem[Choices], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply names the right choice."""
    return marked(read_letter(reply.text, item.truth.by_letter), item.truth)


def marked(letter: str | None, truth: Choices) -> Mark:
    """Return the mark of a letter that was read; None for none."""
    if letter is None:
        return unparsed("it names no choice, or several")
    return Mark(float(letter == truth.right), read=letter)

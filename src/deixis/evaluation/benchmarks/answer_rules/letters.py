"""Which of several choices an answer names: by its letter, or by the choice's own words.

Nothing is guessed: an answer that names no choice, or more than one, is unread.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

LETTERS = string.ascii_uppercase
STATED = re.compile(
    r"\b(?:answer|option|choice|choose|select|pick)\b(?:\s+(?:is|would be|option|choice|letter))*"
    r"\s*[:\-]?\s*[\"'*`(\[]*([A-Z])(?=\W*$|[\"'*`)\]]*[.,:;)\]\n]|\s+(?:because|since|as)\b)",
    re.IGNORECASE,
)
AT_START = re.compile(r"^[\"'*`\s]*[(\[]?([A-Za-z])[)\].:,]", re.MULTILINE)
BRACKETED = re.compile(r"\(([A-Za-z])\)")
ALONE = re.compile(r"[\W_]*([A-Za-z])[\W_]*")
LONGEST = 20_000  # characters of an answer that are looked at


def lettered(choices: Sequence[str]) -> dict[str, str]:
    """Return choices by their letters.

    >>> lettered(["red", "blue"])
    {'A': 'red', 'B': 'blue'}
    """
    return dict(zip(LETTERS, choices, strict=False))


def listed(choices: Mapping[str, str]) -> str:
    """Return choices as published prompts list them, one a line.

    >>> print(listed({"A": "red", "B": "blue"}))
    A. red
    B. blue
    """
    return "\n".join(f"{letter}. {text}" for letter, text in choices.items())


def read_letter(text: str, choices: Mapping[str, str]) -> str | None:
    """Return the letter of the choice that an answer names; None if it names none, or several.

    In this order: the answer is a letter, or a choice's own words; it says which ("the answer is B"); it has
    letters of one choice in brackets; a line begins with a letter and a sign.

    >>> colours = {"A": "red", "B": "blue", "C": "a red car"}
    >>> [read_letter(text, colours) for text in ("b", "(B) blue", "Blue.", "The answer is B.", "A red car")]
    ['B', 'B', 'B', 'B', 'C']
    >>> [read_letter(text, colours) for text in ("", "D", "The answer is a dog", "A or B", "(A) and (B)")]
    [None, None, None, None, None]
    """
    text = text.strip()[:LONGEST]
    if (match := ALONE.fullmatch(text)) is not None:
        return known(match[1], choices)
    same = [letter for letter, words in choices.items() if plain(words) and plain(text) == plain(words)]
    if same:
        return same[0] if len(same) == 1 else None
    for pattern in (STATED, BRACKETED, AT_START):
        found = {letter for one in pattern.findall(text) if (letter := known(one, choices))}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def known(letter: str, choices: Mapping[str, str]) -> str | None:
    """Return a letter as the choices have it; None if they don't have it."""
    return next((one for one in choices if one.upper() == letter.upper()), None)


def plain(text: str) -> str:
    """Return a text without case, runs of white space, quotation marks and a final full stop."""
    return " ".join(text.strip().strip("\"'“”").removesuffix(".").casefold().split())

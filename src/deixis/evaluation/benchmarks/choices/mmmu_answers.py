"""How MMMU reads replies (its released parser): choices by the last mention, open answers loosely.

Numbers are whole ones: of 1,200 the released parser takes 200 as well, this one doesn't.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

ENDS = ",.!?;:'"
INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
SENTENCE = re.compile(r"\.\s(?=[A-Z])|\n")
NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"(?<![\d,.eE])-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)
WORDS_FOR_TEXT = 5
LONGEST = 20_000
Candidate = str | float


def read_choice(text: str, choices: Mapping[str, str]) -> str | None:
    """Return the letter that a reply names last; None if it names none.

    Looked for in this order: (A), A as a word of its own, "A.", the choices' own texts in a reply of more
    than five words. Capitals only.

    >>> colours = {"A": "red", "B": "dark blue"}
    >>> read_choice("Not (A) but (B).", colours), read_choice("B", colours), read_choice("hm", colours)
    ('B', 'B', None)
    >>> read_choice("It must be the dark blue one.", colours)
    'B'
    """
    text = text[:LONGEST]
    for sign in ENDS:
        text = text.strip(sign)
    text = f" {text} "
    for written in ("({})", " {} ", "{}."):
        found = {letter: text.rfind(written.format(letter)) for letter in choices}
        if any(place >= 0 for place in found.values()):
            return max(found, key=lambda letter: found[letter])
    if len(text.split()) > WORDS_FOR_TEXT:
        lower = text.lower()
        found = {letter: lower.rfind(words.lower()) for letter, words in choices.items() if words.strip()}
        if any(place >= 0 for place in found.values()):
            return max(found, key=lambda letter: found[letter])
    return None


def open_candidates(text: str) -> list[Candidate]:
    """Return what a reply to an open question may state: short texts in lower case, and numbers.

    >>> open_candidates("We add them. So the result is 1,200.")
    [1200.0]
    """
    text = text[:LONGEST].strip().strip(".")
    sentences = [sentence.lower() for sentence in SENTENCE.split(text)] if text else []
    stated = []
    for number, sentence in enumerate(sentences):
        last = number == len(sentences) - 1
        marks = (*INDICATORS, "=") if last else INDICATORS
        behind = [sentence.rsplit(mark, 1)[1].strip() for mark in marks if mark in sentence]
        if behind and (shortest := min(behind, key=len)) and shortest not in ENDS:
            stated.append(shortest)
    texts = stated or ([text] if text else [])
    numbers = [found for one in texts for pattern in NUMBERS for found in pattern.findall(one)]
    candidates = [value for one in (*texts, *numbers) for value in normalised(one)]
    return list(dict.fromkeys(candidates))


def normalised(text: str) -> list[Candidate]:
    """Return a text as it is compared: a number to two decimals, or lower case; a single letter as a word.

    >>> normalised("1,234.567"), normalised("X"), normalised("Blue ")
    ([1234.57], [' x', 'x '], ['blue'])
    """
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except (ValueError, OverflowError):
        lower = text.lower()
    return [f" {lower}", f"{lower} "] if len(lower) == 1 else [lower]


def open_match(candidates: Sequence[Candidate], answers: Sequence[str]) -> bool:
    """Tell whether a candidate is the true number, or has a true text in it.

    >>> open_match(["24", 24.0], ["24"]), open_match(["dark blue"], ["blue"]), open_match([], ["blue"])
    (True, True, False)
    """
    true = [value for answer in answers for value in normalised(answer)]
    texts = [value for value in true if isinstance(value, str) and value.strip()]
    for candidate in candidates:
        if isinstance(candidate, str):
            if any(text in candidate for text in texts):
                return True
        elif candidate in true:
            return True
    return False

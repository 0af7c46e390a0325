"""Questions made from prompt templates: choices drawn, phrases filled in, words lost and put in as people do.

A template is plain text with slots and choices: ``{}`` takes a phrase, ``{it}``, ``{a}`` and ``{b}`` are
regions, ``<be>`` becomes "is" or "are" as the phrase asks for, ``(this|that|)`` is one of its alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
END_LEFT_OUT = 0.3  # how often a question comes without its last mark, as people type
ROUGH = 0.3  # how often a question is worded more loosely than any template here
LOST, ADDED = 0.1, 0.12  # how often a word of such a question is left out, how often another comes before it
SLOT = re.compile(r"(\{[a-z]*\})")
LOOSE = (
    "please", "hey", "hi", "hello", "ok", "so", "well", "now", "and", "but", "just", "then", "actually",
    "really", "maybe", "perhaps", "exactly", "quickly", "kindly", "sorry", "thanks", "um", "oh", "right",
    "there", "here", "got", "ever", "even", "only", "also", "by the way", "for me", "to me", "in here",
    "you know", "i mean", "i guess", "sort of", "if possible", "one more thing", "my friend", "again",
    "still", "precisely", "roughly", "supposed", "happen to",
)  # fmt: skip


def question_from(
    template: str,
    rng: np.random.Generator,
    *,
    phrase: str = "",
    many: bool = False,
    loosely: bool = True,
    slots: Mapping[str, str] | None = None,
    kept: frozenset[str] = frozenset(),
) -> str:
    """Return a template with its choices drawn and its phrase filled in.

    loosely: whether it is sometimes roughened. slots: what further slots take, by name. kept: words that are
    not lost.

    >>> question_from("(please |)find {}.", np.random.default_rng(5), phrase="the dog", loosely=False) in (
    ...     "please find the dog.", "find the dog.", "please find the dog", "find the dog"
    ... )
    True
    """

    def chosen(match: re.Match[str]) -> str:
        choices = match.group(1).split("|")
        return choices[int(rng.integers(len(choices)))]

    text = CHOICE.sub(chosen, template).replace("<be>", "are" if many else "is")
    if loosely and rng.random() < ROUGH:
        text = roughened(text, rng, kept=kept)
    if text[-1] in ".?" and rng.random() < END_LEFT_OUT:
        text = text[:-1]
    for slot, words in (slots or {}).items():
        text = text.replace(f"{{{slot}}}", words)
    return text.replace("{}", phrase)


def roughened(text: str, rng: np.random.Generator, *, kept: frozenset[str] = frozenset()) -> str:
    """Return a question with words lost and put in; its slots and its last mark stay.

    People ask in more ways than any list has; what counts is what they ask for. At least one word stays.
    """
    parts = SLOT.split(text)
    words = [word for part in parts for word in ([part] if SLOT.fullmatch(part) else part.split())]
    made: list[str] = []
    for word in words:
        if rng.random() < ADDED:
            made += LOOSE[int(rng.integers(len(LOOSE)))].split()
        if SLOT.fullmatch(word) or word[-1] in ".?" or rng.random() >= LOST or word in kept:
            made.append(word)
    joined = " ".join(made)
    return re.sub(r" ([.?,:])", r"\1", joined)


def pattern(template: str) -> str:
    """Return a regular expression of every question that a template can become, without its last mark.

    >>> bool(re.fullmatch(pattern("(please |)find {}."), "find my dog"))
    True
    """
    parts = re.split(r"(\([^()]*\|[^()]*\)|<be>|\{[a-z]*\})", template.rstrip(".?"))
    made = []
    for part in parts:
        if CHOICE.fullmatch(part):
            made.append("(?:" + "|".join(map(re.escape, part[1:-1].split("|"))) + ")")
        elif part == "<be>":
            made.append("(?:is|are)")
        elif part == "{}":
            made.append("(?:.+)")
        else:
            made.append(re.escape(part))
    return "".join(made)

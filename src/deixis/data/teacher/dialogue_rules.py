"""What a dialogue by a teacher has to keep to, as far as a machine can tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from deixis.data.teacher.lesson import Rejected
from deixis.data.teacher.replies import DECLINES
from deixis.english.word_classes import AUXILIARIES, DETERMINERS, PREPOSITIONS, PRONOUNS

Exchanges = list[tuple[str, str]]
HUMAN, TEACHER = "human", "gpt"
LONGEST_ANSWER = 300  # words; about 200 are asked for at most
DIALOGUE_SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "minItems": 2,
    "maxItems": 20,
    "items": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            HUMAN: {"type": "string", "minLength": 1, "maxLength": 1000},
            TEACHER: {"type": "string", "minLength": 1, "maxLength": 4000},
        },
    },
}
PICTURE = r"(?:image|picture|photo|photograph)s?"
# What nobody says who sees only the plain picture and the thing that is pointed at.
FORBIDDEN = re.compile(
    r"\b(?:"
    r"bounding[- ]?box(?:es)?|mark(?:s|ed|er|ers|ing|ings)?|highlight\w*|annotat\w+|placeholders?|overlay\w*"
    r"|outlined (?:in|by|with)"
    r"|(?:red|blue|colou?red|numbered) (?:box|boxes|(?:mask|rectangle|outline|region|contour)s?)"
    r"|masked (?:region|area|part|object|person)s?|segment(?:ed|ation) ?\w*|visual prompts?"
    rf"|(?:first|second|other|original|painted|plain|unmarked|two|both|each|either)(?: of the)? {PICTURE}"
    r"|captions?"
    r"|(?:given|provided|referring) (?:description|phrase|expression|sentence|note|text|box|context)\w*"
    r"|triplets?|coordinates?|data ?sets?|ground[- ]truth|subjects?"
    r")\b",
    re.IGNORECASE,
)
NAMES_NOTHING = DETERMINERS | PREPOSITIONS | PRONOUNS | AUXILIARIES | {"and", "or", "but", "what", "not"}
TAG = re.compile(r"<([^<>]*)>")
LAST_WORD = re.compile(r"([^\W_]+(?:[-'’][^\W_]+)*)\s*\Z")


def exchanges_of(content: Any, *, least: int, most: int) -> Exchanges:
    """Return questions and answers of a list that fits DIALOGUE_SCHEMA; Rejected unless they alternate."""
    sides = [next(iter(turn)) for turn in content]
    if sides != [HUMAN, TEACHER] * (len(sides) // 2):
        raise Rejected(f"alternation: {', '.join(sides[:8])}; expected human and gpt in turn, human first")
    texts = [" ".join(next(iter(turn.values())).split()) for turn in content]
    if not all(texts):
        raise Rejected("empty: a turn says nothing")
    found = list(zip(texts[::2], texts[1::2], strict=True))
    if not least <= len(found) <= most:
        raise Rejected(f"turns: {len(found)} questions; expected {least} to {most}")
    return found


def check_words(exchanges: Exchanges) -> None:
    """Raise Rejected where a dialogue speaks of what only its writer sees, declines, rambles or repeats."""
    for text in (text for exchange in exchanges for text in exchange):
        if found := FORBIDDEN.search(TAG.sub(" ", text)):
            raise Rejected(f"forbidden: it says {found[0]!r} in {text!r:.120}")
    for question, answer in exchanges:
        if DECLINES.search(answer):
            raise Rejected(f"refusal: {answer:.120}")
        if len(answer.split()) > LONGEST_ANSWER:
            raise Rejected(f"too long: an answer has {len(answer.split())} words")
        if question.casefold() == answer.casefold():
            raise Rejected(f"repetition: question and answer are both {question!r:.120}")
    questions = [question.casefold() for question, _ in exchanges]
    if len(set(questions)) < len(questions):
        raise Rejected("repetition: it asks the same twice")


def resolved(text: str, put: Callable[[str], str | None]) -> str:
    """Return a text with each tag in angle brackets replaced, one blank before it.

    put: what stands for the words in a tag, None for an unknown one. Rejected: an unknown tag, a loose
    bracket, or a tag that stands behind no noun.
    """
    parts, end = list[str](), 0
    for match in TAG.finditer(text):
        before = text[end : match.start()]
        parts.append(before.rstrip())
        tag = put(" ".join(match[1].lower().split()))
        if tag is None:
            raise Rejected(f"placeholder: <{match[1]:.40}> is none that it was given")
        word = LAST_WORD.search(before)
        if word is None or word[1].lower() in NAMES_NOTHING:
            raise Rejected(f"placeholder: no noun stands before <{match[1]:.40}> in {text!r:.120}")
        parts.append(f" {tag}")
        end = match.end()
    parts.append(text[end:])
    joined = "".join(parts)
    if "<" in TAG.sub("", joined) or ">" in TAG.sub("", joined):
        raise Rejected(f"placeholder: a loose bracket in {text!r:.120}")
    return joined


def require_tags(exchanges: Exchanges, tags: Iterable[str]) -> None:
    """Raise Rejected unless the first question has one of the tags, and all of them are in questions."""
    wanted = list(tags)
    if not any(tag in exchanges[0][0] for tag in wanted):
        raise Rejected("placeholder: the first question has none")
    for tag in wanted:
        if not any(tag in question for question, _ in exchanges):
            raise Rejected(f"placeholder: no question has {tag}")

"""What kind of answer an answer is: a name, a description, a place, a count, or yes or no.

A question in free words may be misread as one of another kind; then its answer is of the wrong kind, however
well it fits the question that was not asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, get_args

from deixis.english.nouns import words_of
from deixis.english.numbers import NUMBER_WORDS, number_of
from deixis.english.word_classes import ARTICLES, PREPOSITIONS, RELATIVES
from deixis.evaluation.metrics.answered_noun import OPENING, answered_noun

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

AnswerKind = Literal["name", "describe", "where", "how_many", "yes_no"]
ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
LONGEST_NAME = 6  # words
YES = frozenset(["yes", "yeah", "yep"])
NO = frozenset(["no", "nope"])
MANY_OF_THEM = frozenset(["they", "them", "these", "those"])
PRONOUNS = frozenset(["i", "you", "he", "she", "it", "we", "they", "me", "this", "these", "those", "there"])
VERBS = frozenset(["is", "are", "was", "were", "am", "do", "don't", "can", "can't", "cannot"])
NOT_IN_A_NAME = PRONOUNS | VERBS | {"here", "not", "nothing", "nowhere"}
PLACE_STATEMENT = re.compile(
    r"(?:\bis|\bare|['’]s|['’]re)\s+"
    r"(?:here\b|there\b|(?:not\s+)?in\s+(?:the|this)\s+(?:picture|photo|image)\b)",
    re.I,
)


def is_of_kind(answer: Answer, kind: AnswerKind, *, things: Collection[str] = ()) -> bool:
    """Tell whether an answer is of a kind, whatever it says; one that could not be parsed is of none.

    name: a noun phrase of up to six words, "it is" and its like in front left out. describe: two words or
    more, articles not counted. where: at least one place, or what was asked for is said to be nowhere.
    how_many: a number, or at least one place of the ``things`` that are counted. yes_no: yes or no outside
    the phrases that have places. Of the others only "where" may say yes or no; names and descriptions do not
    say where something is.
    """
    if answer.parse_failures:
        return False
    if kind == "yes_no":
        return verdict(answer) is not None
    if kind == "where":
        return answer.nowhere or count_of_places(answer) > 0
    if verdict(answer) is not None or answer.nowhere:
        return False
    if kind == "how_many":
        return said_count(answer, things=things) is not None
    if PLACE_STATEMENT.search(answer.text):
        return False
    if kind == "name":
        return is_name(answer.text)
    return sum(word not in ARTICLES for word in words_of(answer.text)) > 1


def is_name(text: str) -> bool:
    """Tell whether a text is a noun phrase of up to six words.

    >>> is_name("It is a brown dog."), is_name("A dog is here."), is_name("I don't know."), is_name("2")
    (True, False, False, False)
    """
    opening = OPENING.match(text)
    words = words_of(text[opening.end() :] if opening else text)
    before_relative = words[: next((i for i, word in enumerate(words) if word in RELATIVES), len(words))]
    noun = answered_noun(text)
    return (
        0 < len(words) <= LONGEST_NAME
        and NOT_IN_A_NAME.isdisjoint(before_relative)
        and any(letter.isalpha() for letter in noun)
        and noun not in ARTICLES | PREPOSITIONS | RELATIVES | NUMBER_WORDS
    )


def verdict(answer: Answer, *, repeated: str = "") -> bool | None:
    """Return whether an answer says yes or no, by the first such word outside its phrases; None for neither.

    A phrase with a place repeats words of the question: in "No smoking sign? Yes, it is in the picture." the
    verdict is yes. repeated: words of the question that are none either where an answer repeats them.
    """
    text = outside_of_phrases(answer)
    if repeated:
        text = re.sub(rf"(?<!\w){re.escape(repeated)}(?!\w)", "|", text, flags=re.I)
    return next((word in YES for word in words_of(text) if word in YES | NO), None)


def outside_of_phrases(answer: Answer) -> str:
    """Return the text of an answer without the phrases that it gives places for."""
    pieces, end = [], 0
    for span in answer.spans:
        pieces.append(answer.text[end : span.start])
        end = span.end
    return " ".join([*pieces, answer.text[end:]])


def said_number(text: str) -> int | None:
    """Return the first number of a text, in digits or in words; None if there is none.

    >>> said_number("Three dogs are here."), said_number("There are 12."), said_number("Dogs are here.")
    (3, 12, None)
    """
    numbers = map(number_of, words_of(text))
    return next((number for number in numbers if number is not None), None)


def count_of_places(answer: Answer, *, things: Collection[str] = ()) -> int:
    """Return how many different places an answer gives.

    things: only those of phrases with one of these nouns, or with a pronoun for them; of all without any.
    """
    wanted = {*things, *MANY_OF_THEM}
    return len(
        {
            place.box
            for span in answer.spans
            if not things or not wanted.isdisjoint(words_of(span.phrase))
            for place in span.places
        }
    )


def said_count(answer: Answer, *, things: Collection[str] = ()) -> int | None:
    """Return how many an answer says there are: its number, or else its places; None if it has neither."""
    number = said_number(answer.text)
    return number if number is not None else count_of_places(answer, things=things) or None

"""What dialogues do with phrases: articles, sides, and the verdict on one."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.english.nouns import words_of
from deixis.english.word_classes import ARTICLES_AND_SOME


def verdict(things: Sequence[int], *, many: bool) -> str:
    """Say whether what was asked about is there.

    >>> verdict((), many=True)
    'no, they are not in the picture.'
    """
    pronoun = "they are" if many else "it is"
    return f"yes, {pronoun} in the picture." if things else f"no, {pronoun} not in the picture."


def sided(text: str) -> bool:
    """Tell whether a text speaks of left or right."""
    return not {"left", "right"}.isdisjoint(part for word in words_of(text) for part in word.split("-"))


def tells_more(phrase: str) -> bool:
    """Tell whether a phrase says more than what a thing is called.

    >>> tells_more("a red hat"), tells_more("a hat")
    (True, False)
    """
    return len(words_of(without_article(phrase) or phrase)) > 1


def without_article(phrase: str) -> str:
    """Return a phrase without its article; nothing where it has none.

    >>> without_article("a red hat"), without_article("two dogs")
    ('red hat', '')
    """
    first, _, rest = phrase.partition(" ")
    return rest if first in ARTICLES_AND_SOME else ""


def definite(phrase: str) -> str:
    """Return the phrase with "the" for its article.

    >>> definite("a red hat"), definite("two dogs")
    ('the red hat', 'the two dogs')
    """
    first, _, rest = phrase.partition(" ")
    if first in ("a", "an") and rest:
        return f"the {rest}"
    if first in ("the", "his", "her", "its", "their", "some", "another", "this", "that"):
        return phrase
    return f"the {phrase}"

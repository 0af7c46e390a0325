"""The noun that an answer gives a thing."""

from __future__ import annotations

import re

from deixis.english.nouns import head_noun

OPENING = re.compile(
    r"\s*(?:(?:it|this|that|he|she)(?:\s+is|['’]s)|(?:they|these|those)(?:\s+are|['’]re))\s+", re.I
)


def answered_noun(text: str) -> str:
    """Return the head noun of an answer, "it is" and its like in front left out; "" if there is none.

    >>> answered_noun("It is a brown dog in the grass."), answered_noun("Two men.")
    ('dog', 'men')
    """
    opening = OPENING.match(text)
    return head_noun(text[opening.end() :] if opening else text)

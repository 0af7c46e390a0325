"""How long an example is, in words: enough to put examples of similar work together, without any picture."""

from __future__ import annotations

from collections.abc import Iterable


def words_in(texts: Iterable[str]) -> int:
    """Return the number of words of all texts, at least 1.

    >>> words_in(["what is it?", "a red hat."])
    6
    """
    return max(sum(len(text.split()) for text in texts), 1)

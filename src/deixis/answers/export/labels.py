"""Phrases of answers as labels of datasets: numbered in the order in which they come up."""

from __future__ import annotations

import re

ARTICLE = re.compile(r"(?:the|an?|some|his|her|its|their|your|my|our|this|that|these|those)\s+")


def label_of(phrase: str) -> str:
    """Return a phrase as a label: in small letters, one blank between words, no article in front.

    >>> label_of("The  brown dog"), label_of("A")
    ('brown dog', 'a')
    """
    words = " ".join(phrase.lower().split())
    return ARTICLE.sub("", words, count=1) if ARTICLE.match(words) else words


class Labels:
    """The labels of a dataset, each with the number of its first coming; ``first``: that of the first one."""

    def __init__(self, *, first: int) -> None:
        self.first = first
        self.numbers: dict[str, int] = {}

    def number(self, phrase: str) -> int:
        """Return the number of a phrase's label; a new label gets the next number.

        >>> labels = Labels(first=1)
        >>> labels.number("a dog"), labels.number("The cat"), labels.number("the dog"), list(labels.numbers)
        (1, 2, 1, ['dog', 'cat'])
        """
        return self.numbers.setdefault(label_of(phrase), self.first + len(self.numbers))

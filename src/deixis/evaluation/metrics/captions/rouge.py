"""ROUGE-L of captions (Lin, 2004): the longest words in common, in order, with recall weighing more."""

from __future__ import annotations

from collections.abc import Sequence

BETA = 1.2  # how much more recall weighs than precision


def rouge_l(caption: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return ROUGE-L of one caption; precision and recall are each the best over its references.

    A text without words is worth one empty word, as in the published program.

    >>> round(rouge_l("a dog on a bench".split(), ["two dogs sitting on a bench".split()]), 4)
    0.5367
    """
    said = list(caption) or [""]
    precision = recall = 0.0
    for reference in references:
        words = list(reference) or [""]
        common = longest_in_common(said, words)
        precision, recall = max(precision, common / len(said)), max(recall, common / len(words))
    if not precision or not recall:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def longest_in_common(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many words the longest sequence has that both texts have in order, gaps allowed.

    >>> longest_in_common("a red bus stops".split(), "the red old bus".split())
    2
    """
    row = [0] * (len(second) + 1)
    for word in first:
        before = row[:]
        for place, other in enumerate(second, start=1):
            row[place] = before[place - 1] + 1 if word == other else max(row[place - 1], before[place])
    return row[-1]

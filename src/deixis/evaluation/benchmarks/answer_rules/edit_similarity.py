"""ANLS (Scene Text VQA, section 4.1): how alike two texts are by the edits between them, if alike enough."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.evaluation.metrics.rules import Rules, check_rules

THRESHOLD = 0.5
LONGEST = 4_000  # characters of an answer that are compared; a longer one is unlike any short true one


def edits(first: str, second: str) -> int:
    """Return the least number of insertions, deletions and replacements between two texts (Levenshtein).

    >>> edits("kitten", "sitting"), edits("", "abc")
    (3, 3)
    """
    if len(first) < len(second):
        first, second = second, first
    row = list(range(len(second) + 1))
    for number, letter in enumerate(first, start=1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(second, start=1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (letter != other)),
            )
    return row[-1]


def similarity(answer: str, truths: Sequence[str], *, rules: Rules = "corrected") -> float:
    """Return how alike an answer is to the most alike of some true ones, 0 to 1; 0 if not alike enough.

    Case and runs of white space don't matter. corrected: as the paper has it, alike means fewer edits than
    half of the longer text's letters. published: exactly half is alike enough, as in the evaluation program.

    >>> similarity("Hello  world", ["hello world", "hi"]), similarity("ab", ["ax"])
    (1.0, 0.0)
    >>> similarity("ab", ["ax"], rules="published")
    0.5
    """
    check_rules(rules)
    said = plain(answer)
    best = 0.0
    for truth in map(plain, truths):
        longer = max(len(said), len(truth))
        if said and longer <= LONGEST and abs(len(said) - len(truth)) <= THRESHOLD * longer:
            best = max(best, 1 - edits(said, truth) / longer)
    enough = best >= THRESHOLD if rules == "published" else best > THRESHOLD
    return best if enough else 0.0


def plain(text: str) -> str:
    """Return a text in lower case with single blanks."""
    return " ".join(text.lower().split())

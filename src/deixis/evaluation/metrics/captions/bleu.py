"""BLEU of captions (Papineni et al., 2002): how many of their runs of one to four words references have."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

LONGEST_RUN = 4
# So that nothing is divided by zero, as in the published program.
TINY, SMALL = 1e-15, 1e-9

Words = Sequence[str]
Runs = Counter[tuple[str, ...]]


def runs_of(words: Words, *, longest: int = LONGEST_RUN) -> list[Runs]:
    """Return how often each run of one word stands in a text, then of two, and so on.

    >>> [dict(runs) for runs in runs_of(["a", "b", "a"], longest=2)]
    [{('a',): 2, ('b',): 1}, {('a', 'b'): 1, ('b', 'a'): 1}]
    """
    return [
        Counter(tuple(words[start : start + length]) for start in range(len(words) - length + 1))
        for length in range(1, longest + 1)
    ]


def bleu(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> tuple[float, ...]:
    """Return BLEU-1 to BLEU-4 of all captions together, each with one or more references.

    A run counts as often as that reference has it that has it most often. Where captions are shorter than
    the references closest to them in length (the shorter of two alike), all scores are less by
    exp(1 - length of references / length of captions).
    """
    said, hits = [0] * LONGEST_RUN, [0] * LONGEST_RUN
    length = closest = 0
    for caption, own in zip(captions, references, strict=True):
        most = [Counter[tuple[str, ...]]() for _ in range(LONGEST_RUN)]
        for reference in own:
            most = [known | runs for known, runs in zip(most, runs_of(reference), strict=True)]
        for place, runs in enumerate(runs_of(caption)):
            said[place] += runs.total()
            hits[place] += (runs & most[place]).total()
        length += len(caption)
        closest += min((abs(len(one) - len(caption)), len(one)) for one in own)[1]
    scores, product = [], 1.0
    for place in range(LONGEST_RUN):
        product *= (hits[place] + TINY) / (said[place] + SMALL)
        scores.append(product ** (1 / (place + 1)))
    ratio = (length + TINY) / (closest + SMALL)
    shorter = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    return tuple(score * shorter for score in scores)

"""CIDEr-D of captions (Vedantam et al., 2015): likeness of runs of words, rare ones weighing more."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from deixis.evaluation.metrics.captions.bleu import LONGEST_RUN, Runs, Words, runs_of

SIGMA = 6.0  # words; how far lengths may differ before a caption loses much
SCALE = 10.0

Vector = dict[tuple[str, ...], float]


def cider(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """Return CIDEr-D of every caption, each with one or more references; their mean is the published score.

    How rare a run is, is told by the references of all captions together, so a score is one of a whole set.
    """
    counted = [[runs_of(one) for one in own] for own in references]
    seen_in: Runs = Counter()
    for own_runs in counted:
        seen_in.update({run for runs in own_runs for counts in runs for run in counts})
    total = math.log(len(references)) if references else 0.0

    def weighed(runs: Runs) -> Vector:
        return {run: times * (total - math.log(max(1, seen_in[run]))) for run, times in runs.items()}

    scores = []
    for caption, own in zip(captions, counted, strict=True):
        said = runs_of(caption)
        vectors = [weighed(runs) for runs in said]
        likeness = [
            _likeness(vectors, _length(said), [weighed(runs) for runs in reference], _length(reference))
            for reference in own
        ]
        scores.append(SCALE * sum(likeness) / len(likeness))
    return scores


def _likeness(said: list[Vector], length: int, other: list[Vector], other_length: int) -> float:
    """Return the mean over lengths of runs of the cosine, cut to what the reference has of each."""
    nearness = math.exp(-((length - other_length) ** 2) / (2 * SIGMA**2))
    cosines = 0.0
    for mine, its in zip(said, other, strict=True):
        shared = sum(min(value, its.get(run, 0.0)) * its.get(run, 0.0) for run, value in mine.items())
        lengths = _norm(mine) * _norm(its)
        cosines += (shared / lengths if lengths else shared) * nearness
    return cosines / LONGEST_RUN


def _norm(vector: Vector) -> float:
    return math.sqrt(math.fsum(value * value for value in vector.values()))


def _length(runs: list[Runs]) -> int:
    # The published program takes the number of runs of two for the length of a text.
    return runs[1].total()

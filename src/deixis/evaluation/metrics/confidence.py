"""What a score is worth: whether it tells two kinds of answers apart, and whether it means what it says.

The area under the ROC curve asks the first, the expected calibration error (Guo et al., 2017) the second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.errors import UsageError

BINS = 15
UNDEFINED = float("nan")
"""A number that these items do not have; reports write it as null."""


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return how often a positive's score is above a negative's, equal scores counted half.

    scores, positive: (n,). It is ``UNDEFINED`` where all are of one kind: there is nothing to tell apart.

    >>> auroc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    scores, positive = checked(scores, positive)
    positives = int(positive.sum())
    pairs = positives * (len(scores) - positives)
    if not pairs:
        return UNDEFINED
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    # The mean rank of equal scores, from 1; a positive's rank counts the negatives below it.
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / pairs)


def expected_calibration_error(
    scores: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = BINS
) -> float:
    """Return the mean gap between score and share of right ones, over bins of scores of equal width.

    scores: (n,) in 0..1; right: (n,). Bins weigh as much as they hold scores; 0 is best, 1 worst, and it is
    ``UNDEFINED`` without scores. Few scores give too much: chance in a bin looks like a gap.

    >>> expected_calibration_error(np.array([0.75, 0.75, 0.75, 0.75]), np.array([True, True, True, False]))
    0.0
    """
    scores, right = checked(scores, right)
    if bins < 1:
        raise UsageError(f"bins is {bins}; expected at least 1")
    if not len(scores):
        return UNDEFINED
    if scores.min() < 0 or scores.max() > 1:
        raise UsageError(f"scores lie in {scores.min():g}..{scores.max():g}; expected probabilities, 0..1")
    own_bin = np.minimum((scores * bins).astype(np.int64), bins - 1)
    return float(np.abs(np.bincount(own_bin, weights=right - scores)).sum() / len(scores))


def checked(
    scores: NDArray[np.float64], kinds: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return both as arrays of one length; UsageError if they are not, or a score is no number."""
    scores, kinds = np.asarray(scores, dtype=np.float64), np.asarray(kinds, dtype=np.bool_)
    if scores.ndim != 1 or scores.shape != kinds.shape:
        raise UsageError(f"scores are {scores.shape} and kinds {kinds.shape}; expected one of each an item")
    if not np.isfinite(scores).all():
        raise UsageError("some score is not a finite number; leave out what has none")
    return scores, kinds


def mean_where(column: NDArray[np.float64], kept: NDArray[np.bool_]) -> float:
    """Return the mean of the numbers that are kept; ``UNDEFINED`` if none is.

    >>> mean_where(np.array([1.0, 0.0, 0.0]), np.array([True, True, False]))
    0.5
    """
    return float(column[kept].mean()) if kept.any() else UNDEFINED

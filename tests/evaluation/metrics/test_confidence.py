import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from deixis.errors import UsageError
from deixis.evaluation.metrics.confidence import auroc, expected_calibration_error, mean_where

# Few different scores, so that ties are common.
ITEMS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60)


def columns(items: list[tuple[int, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores, kinds = zip(*items, strict=True)
    return np.array(scores) / 8, np.array(kinds)


def by_pairs(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    won = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in scores[positive]
        for low in scores[~positive]
    ]
    return float(np.mean(won)) if won else math.nan


@given(ITEMS)
def test_auroc_is_the_share_of_pairs_in_order(items: list[tuple[int, bool]]) -> None:
    scores, positive = columns(items)
    assert auroc(scores, positive) == pytest.approx(by_pairs(scores, positive), abs=1e-12, nan_ok=True)


@given(ITEMS)
def test_auroc_sees_only_the_order(items: list[tuple[int, bool]]) -> None:
    scores, positive = columns(items)
    expected = auroc(scores, positive)
    for changed in (scores**3, np.exp(5 * scores), 7 * scores - 100):
        assert auroc(changed, positive) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert auroc(-scores, positive) == pytest.approx(1 - expected, abs=1e-12, nan_ok=True)
    assert auroc(scores, ~positive) == pytest.approx(1 - expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("scores", "positive", "area"),
    [
        ([0.9, 0.8, 0.2], [1, 1, 0], 1.0),
        ([0.1, 0.9], [1, 0], 0.0),
        ([0.3, 0.3, 0.3, 0.3], [1, 0, 0, 1], 0.5),
        ([0.9, 0.8], [1, 1], math.nan),
        ([0.9, 0.8], [0, 0], math.nan),
        ([], [], math.nan),
    ],
    ids=["apart", "the wrong way", "constant", "all positive", "none positive", "nothing"],
)
def test_auroc_of_plain_cases(scores: list[float], positive: list[int], area: float) -> None:
    assert auroc(np.array(scores), np.array(positive, dtype=bool)) == pytest.approx(area, nan_ok=True)


def test_auroc_of_many_is_fast_and_half_for_noise() -> None:
    rng = np.random.default_rng(0)
    assert auroc(rng.random(300_000), rng.random(300_000) < 0.3) == pytest.approx(0.5, abs=0.005)


@given(ITEMS, st.integers(1, 30))
def test_calibration_error_is_a_share(items: list[tuple[int, bool]], bins: int) -> None:
    scores, right = columns(items)
    error = expected_calibration_error(scores, right, bins=bins)
    assert 0 <= error <= 1
    order = np.random.default_rng(len(items)).permutation(len(items))
    assert expected_calibration_error(scores[order], right[order], bins=bins) == pytest.approx(error)
    # No bins can hide what is wrong on the whole.
    assert error >= abs(scores.mean() - right.mean()) - 1e-12


@given(ITEMS)
def test_calibration_error_is_the_sum_over_bins(items: list[tuple[int, bool]]) -> None:
    scores, right = columns(items)
    expected = 0.0
    for low in range(15):
        inside = (scores >= low / 15) & ((scores < (low + 1) / 15) | (low == 14))
        if inside.any():
            expected += inside.mean() * abs(scores[inside].mean() - right[inside].mean())
    assert expected_calibration_error(scores, right) == pytest.approx(expected, abs=1e-12)


def test_scores_that_mean_what_they_say_have_no_error() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(100_000)
    draws = rng.random(100_000)
    assert expected_calibration_error(scores, draws < scores) < 0.01
    assert expected_calibration_error(scores, draws < scores**2) == pytest.approx(1 / 6, abs=0.01)


@pytest.mark.parametrize(
    ("scores", "right", "error"),
    [([1.0, 1.0], [0, 0], 1.0), ([1.0, 0.0], [1, 0], 0.0), ([0.5], [1], 0.5), ([], [], math.nan)],
    ids=["all wrong", "certain and right", "one", "nothing"],
)
def test_calibration_error_of_plain_cases(scores: list[float], right: list[int], error: float) -> None:
    measured = expected_calibration_error(np.array(scores), np.array(right, dtype=bool))
    assert measured == pytest.approx(error, nan_ok=True)


@pytest.mark.parametrize(
    ("scores", "kinds", "message"),
    [
        ([0.1, 0.2], [True], "one of each"),
        ([0.1, math.nan], [True, False], "finite"),
        ([0.1, 1.5], [True, False], r"expected probabilities"),
    ],
)
def test_what_is_no_score_is_refused(scores: list[float], kinds: list[bool], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        expected_calibration_error(np.array(scores), np.array(kinds))


def test_bins_are_needed() -> None:
    with pytest.raises(UsageError, match="bins is 0"):
        expected_calibration_error(np.array([0.5]), np.array([True]), bins=0)


def test_the_mean_of_nothing_is_undefined() -> None:
    assert math.isnan(mean_where(np.ones(3), np.zeros(3, dtype=bool)))

import math

import numpy as np
import pytest

from deixis.evaluation.metrics.intervals import interval_over_pictures, wilson
from deixis.evaluation.task import Columns


def mean(columns: Columns) -> float:
    return float(columns["right"].mean())


def test_independent_pictures_agree_with_the_normal_interval() -> None:
    right = (np.random.default_rng(1).random(1500) < 0.3).astype(np.float64)
    low, high = interval_over_pictures({"right": right}, [str(i) for i in range(1500)], measure=mean, seed=0)
    reach = 1.96 * math.sqrt(right.mean() * (1 - right.mean()) / 1500)
    assert (low, high) == pytest.approx((right.mean() - reach, right.mean() + reach), abs=0.004)


def test_questions_that_hang_together_widen_the_interval() -> None:
    right = np.repeat((np.random.default_rng(1).random(60) < 0.5).astype(np.float64), 25)
    together = [str(i // 25) for i in range(1500)]
    apart = [str(i) for i in range(1500)]
    low, high = interval_over_pictures({"right": right}, together, measure=mean, seed=0)
    least, most = interval_over_pictures({"right": right}, apart, measure=mean, seed=0)
    assert high - low > 4 * (most - least)


def test_the_seed_decides() -> None:
    right = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    intervals = [interval_over_pictures({"right": right}, "abcde", measure=mean, seed=s) for s in (3, 3)]
    assert intervals[0] == intervals[1]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_variation_is_no_certainty(value: float) -> None:
    low, high = interval_over_pictures({"right": np.full(8, value)}, "abcdefgh", measure=mean, seed=0)
    assert low <= value <= high
    assert 0.2 < high - low < 0.5


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("n", [1, 10, 1000])
def test_wilson_holds_the_rate_and_stays_in_bounds(rate: float, n: int) -> None:
    low, high = wilson(rate, n)
    assert 0 <= low <= rate <= high <= 1
    assert low < high

"""Turns that are given so many a second, and none while a server asks to wait."""

from __future__ import annotations

import threading
import time

import pytest

from deixis.endpoints.pace import Pace
from deixis.errors import UsageError


class Clock:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_turns_are_apart_by_the_rate() -> None:
    clock = Clock()
    pace = Pace(4.0, clock=clock, sleep=clock.sleep)
    times = []
    for _ in range(5):
        pace.wait()
        times.append(clock.now)
    assert times == [100.0, 100.25, 100.5, 100.75, 101.0]


def test_without_a_rate_nobody_waits_but_when_held_back() -> None:
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    pace.wait()
    pace.wait()
    assert clock.now == 100.0
    pace.hold_back(7.0)
    pace.hold_back(2.0)  # the longest counts
    pace.wait()
    assert clock.now == 107.0


def test_threads_share_the_turns() -> None:
    pace, times = Pace(100.0), list[float]()

    def take() -> None:
        for _ in range(5):
            pace.wait()
            times.append(time.monotonic())

    threads = [threading.Thread(target=take) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 20 and max(times) - began >= 0.18


@pytest.mark.parametrize("rate", [0, -1.0, float("nan"), float("inf"), True, 1e9])
def test_rates_that_are_none(rate: float) -> None:
    with pytest.raises(UsageError, match="rate is"):
        Pace(rate)

"""How much is read between two tokens, by what steps and readings took before."""

from __future__ import annotations

import pytest
import torch

from deixis.engine.batching.limits import UNLIMITED, BatchLimits
from deixis.engine.batching.pace import FIRST, GROWTH, LEAST, Pace, ReadingTime
from deixis.errors import UsageError


class Machine:
    """A machine whose time passes as a test says."""

    def __init__(self, limits: BatchLimits) -> None:
        self.time = 0.0
        self.pace = Pace(limits, torch.device("cpu"), clock=lambda: self.time)

    def advance(self, *, step: float, fixed: float, each: float) -> float:
        """Step and read; return the pause in steps."""
        budget = self.pace.positions(rows=1)
        assert budget is not None
        self.pace.start()
        self.time += step
        self.pace.stepped(1)
        self.pace.start()
        self.time += fixed + each * budget
        self.pace.has_read(budget)
        return (step + fixed + each * budget) / step


@pytest.mark.parametrize("each", [0.0005, 0.002, 0.004])
@pytest.mark.parametrize("pause", [2.0, 3.0])
def test_nobody_stands_still_for_longer_than_allowed(each: float, pause: float) -> None:
    """As long as the least that is read keeps within it."""
    step, fixed = 0.08, 0.01
    machine = Machine(BatchLimits(chunk=1000, pause=pause))
    pauses = [machine.advance(step=step, fixed=fixed, each=each) for _ in range(12)]
    least = (step + fixed + each * LEAST) / step
    assert all(one <= max(pause, least) for one in pauses[3:])
    assert pauses[-1] > 1 + (pause - 1) * 0.6, "nor is time left unused"


def test_reading_beside_a_step_has_the_time_of_the_step_as_well() -> None:
    step, fixed, each = 0.08, 0.06, 0.002
    machine = Machine(BatchLimits(chunk=1000))
    pace = machine.pace
    assert not pace.knows(6) and pace.positions(rows=6, beside=True) == FIRST
    pace.start()
    machine.time += step
    pace.stepped(6)
    assert pace.knows(4) and pace.knows(7) and not pace.knows(8)
    for _ in range(8):
        budget = pace.positions(rows=6, beside=True)
        assert budget is not None
        pace.start()
        machine.time += fixed + each * budget
        pace.has_read(budget, beside=True)
    assert 2.0 * step < fixed + each * budget <= 3.0 * step
    assert pace.positions(rows=6) == FIRST, "of reading apart, nothing is known"


def test_the_rest_of_a_prompt_tells_little_of_what_a_position_takes() -> None:
    """Three positions take half as long as sixty: the next prompt isn't read three at a time for that."""
    step, fixed, each = 0.09, 0.03, 0.0018
    machine = Machine(BatchLimits(chunk=1000))
    for _ in range(8):
        machine.advance(step=step, fixed=fixed, each=each)
    before = machine.pace.positions(rows=1)
    assert before is not None
    machine.pace.start()
    machine.time += fixed + each * 3
    machine.pace.has_read(3)
    after = machine.pace.positions(rows=1)
    assert after is not None and after >= 0.9 * before


def test_a_line_is_not_trusted_far_beyond_what_was_read() -> None:
    known = ReadingTime()
    for positions in (20, 21, 20, 19):
        known.note(positions, 0.05 + 1e-6 * positions)
    assert known.within(10.0) == GROWTH * 19
    assert ReadingTime().within(1.0) is None


def test_what_is_known_of_nothing_begins_small_and_the_chunk_is_never_exceeded() -> None:
    machine = Machine(BatchLimits(chunk=40))
    assert machine.pace.positions(rows=1) == FIRST
    for _ in range(4):
        machine.advance(step=1.0, fixed=0.0, each=1e-6)
    assert machine.pace.positions(rows=1) == 40
    assert Machine(BatchLimits(chunk=8)).pace.positions(rows=1) == 8


def test_while_nobody_is_written_there_is_no_hurry() -> None:
    assert Machine(BatchLimits()).pace.positions(rows=0) == BatchLimits().quiet_chunk
    assert Machine(UNLIMITED).pace.positions(rows=1) is None
    assert Machine(BatchLimits(pause=None, chunk=77)).pace.positions(rows=1) == 77


@pytest.mark.parametrize("pause", [1, 0.5, float("inf"), "3"])
def test_a_pause_is_a_number_of_steps(pause: object) -> None:
    with pytest.raises(UsageError, match="pause is"):
        BatchLimits(pause=pause)  # type: ignore[arg-type]

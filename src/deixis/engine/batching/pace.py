"""How much is read between two tokens, so that no answer stands still for longer than a few of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from deixis.engine.batching.limits import BatchLimits

LEAST = 16  # positions; a forward of fewer takes hardly less time
FIRST = 32  # positions to begin with, while nothing is known of the machine
CAREFUL = 0.8  # of the time that there is
MEMORY = 0.5  # share of what was known before in what is known after one more measurement
READ_MEMORY = 0.8  # the same of readings, each of which tells less
GROWTH = 2  # times the largest reading of late: no line is trusted further


class ReadingTime:
    """What reading takes: a time that every forward takes, and one for each position.

    Both are those of the line, by least squares, through the readings so far; earlier ones count less.
    """

    def __init__(self) -> None:
        self.sums = [0.0] * 5  # of 1, n, t, n * n, n * t for readings of n positions that took t seconds
        self.largest = 0.0

    def note(self, positions: int, seconds: float) -> None:
        """Learn from one reading."""
        n, t = float(positions), seconds
        new = (1.0, n, t, n * n, n * t)
        self.sums = [READ_MEMORY * old + one for old, one in zip(self.sums, new, strict=True)]
        self.largest = max(n, READ_MEMORY * self.largest)

    def within(self, seconds: float) -> int | None:
        """Return how many positions can be read in some time; None if nothing is known."""
        count, n, t, nn, nt = self.sums
        if not n:
            return None
        spread = count * nn - n * n
        each = (count * nt - n * t) / spread if spread > 1e-3 * count * nn else 0.0
        fixed = (t - each * n) / count
        if each <= 0 or fixed < 0:  # noise, or readings of one size: as if all of it came of the positions
            each, fixed = t / n, 0.0
        return int(min(max(seconds - fixed, 0.0) / each, GROWTH * self.largest)) if each else None


class Pace:
    """Measures steps and readings, and says how many positions may be read before the next token.

    Steps are remembered by about how many rows took them. Reading is measured apart from steps, and beside
    them, in forwards in which answers take their step as well. clock: returns seconds.
    """

    def __init__(
        self,
        limits: BatchLimits,
        device: torch.device,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.limits, self.device, self.clock = limits, device, clock
        self.steps: dict[int, float] = {}  # seconds of a step of 1, 2 to 3, 4 to 7, … rows
        self.apart, self.beside = ReadingTime(), ReadingTime()
        self.begun = 0.0

    def knows(self, rows: int) -> bool:
        """Tell whether a step of about so many rows was measured."""
        return rows.bit_length() in self.steps

    def positions(self, *, rows: int, beside: bool = False) -> int | None:
        """Return how many positions may be read while so many answers are written; None for any number.

        beside: in the forward of their step, not after it.
        """
        most, pause = self.limits.positions(writing=rows > 0), self.limits.pause
        if not rows or pause is None or most is None:
            return most
        step = self.steps.get(rows.bit_length())
        if step is None:
            return min(most, FIRST)
        reading, steps = (self.beside, pause) if beside else (self.apart, pause - 1)
        known = reading.within(steps * step * CAREFUL)
        return min(most, FIRST if known is None else max(LEAST, known))

    def start(self) -> None:
        """Begin to measure."""
        self.begun = self.now()

    def stepped(self, rows: int) -> None:
        """Note that so many answers went one token further since the start."""
        size, now = rows.bit_length(), self.now() - self.begun
        old = self.steps.get(size, now)
        self.steps[size] = MEMORY * old + (1 - MEMORY) * now

    def has_read(self, positions: int, *, beside: bool = False) -> None:
        """Note that so many positions were read since the start, beside a step or without one."""
        if positions:
            (self.beside if beside else self.apart).note(positions, self.now() - self.begun)

    def now(self) -> float:
        """Return the time once all that was asked of the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()

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


class Pace:
    """Measures steps and readings, and says how many positions may be read before the next token.

    clock: returns seconds.
    """

    def __init__(
        self,
        limits: BatchLimits,
        device: torch.device,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.limits, self.device, self.clock = limits, device, clock
        self.step: float | None = None  # seconds
        self.position: float | None = None  # seconds of reading one
        self.begun = 0.0

    def positions(self, *, writing: bool) -> int | None:
        """Return how many positions may be read now; None for any number."""
        most = self.limits.positions(writing=writing)
        if not writing or self.limits.pause is None or most is None:
            return most
        if self.step is None or self.position is None:
            return min(most, FIRST)
        spare = (self.limits.pause - 1) * self.step * CAREFUL
        return min(most, max(LEAST, int(spare / self.position)))

    def start(self) -> None:
        """Begin to measure."""
        self.begun = self.now()

    def stepped(self) -> None:
        """Note that all answers went one step further since the start."""
        self.step = blended(self.step, self.now() - self.begun)

    def has_read(self, positions: int) -> None:
        """Note that so many positions, padding included, were read since the start."""
        if positions:
            self.position = blended(self.position, (self.now() - self.begun) / positions)

    def now(self) -> float:
        """Return the time once all that was asked of the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock()


def blended(before: float | None, now: float) -> float:
    """Return a measurement mixed with what was known before.

    >>> blended(None, 2.0), blended(4.0, 2.0)
    (2.0, 3.0)
    """
    return now if before is None else MEMORY * before + (1 - MEMORY) * now

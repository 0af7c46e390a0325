"""When requests may be made: so many a second at most, and none while a server asks to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deixis.endpoints.bounds import check_number

FASTEST, SLOWEST = 1e4, 1e-4  # requests a second


@dataclass
class Pace:
    """Turns that threads take, ``rate`` a second; None sets no limit.

    clock, sleep: of seconds; tests have their own. UsageError: the rate is no number in bounds.
    """

    rate: float | None = None
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        if self.rate is not None:
            check_number("rate", self.rate, least=SLOWEST, most=FASTEST)
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when it is the caller's turn; turns are given in the order of calls."""
        with self._lock:
            now = self.clock()
            turn = max(self._next, now)
            if self.rate is not None:
                self._next = turn + 1 / self.rate
        if turn > now:
            self.sleep(turn - now)

    def hold_back(self, seconds: float) -> None:
        """Give no turn before so many seconds have passed; those that were given already stay."""
        with self._lock:
            self._next = max(self._next, self.clock() + seconds)

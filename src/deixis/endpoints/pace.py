"""When requests may be made: so many a second at most, and none while a server asks to wait."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType

from deixis.endpoints.bounds import check_number
from deixis.errors import UsageError

RATE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*/\s*(s|sec|min|m|h|hour)")
PER = MappingProxyType({"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0})
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


def read_rate(text: str) -> float:
    """Return how many requests a second some words mean; UsageError for others.

    >>> read_rate("30/min"), read_rate("2/s")
    (0.5, 2.0)
    """
    match = RATE.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise UsageError(f"the rate is {text!r:.40}; expected a number and a time, such as 2/s or 60/min")
    return float(match[1]) / PER[match[2]]

"""Memory that was freed goes back to the system.

What is kept for long (pictures, beginnings of prompts) and what is freed at once (everything a step computes)
lie among each other in the C library's heap. It reuses what was freed, but gives back only what lies at its
end, so that a process grows for hours without holding more.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable

EVERY = 15.0  # seconds; it takes milliseconds


class GivingBack:
    """Gives memory back now and then, while something is done. give_back, clock: see the functions below."""

    def __init__(
        self,
        give_back: Callable[[], bool] | None = None,
        *,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._give_back = heap_given_back if give_back is None else give_back
        self._every, self._clock = every, clock
        self._done_at, self._seen = clock(), 0

    def look(self, version: int) -> float | None:
        """Give back if it is time; return in how many seconds to look again, None for when something happens.

        version: of what is done, which grows with all of it.
        """
        if version == self._seen:
            return None
        left = self._done_at + self._every - self._clock()
        if left > 0:
            return left
        self._give_back()
        self._done_at, self._seen = self._clock(), version
        return None


def heap_given_back() -> bool:
    """Give freed memory back to the system; False where the C library has no way to."""
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's own
    return False if trim is None else bool(trim(0))

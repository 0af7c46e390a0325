"""Timing a piece of work again and again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.memory import PeakMemory


def repeated(
    given: dict[str, Any], work: Callable[[], Any], *, clock: Callable[[], float] = time.perf_counter
) -> tuple[Any, dict[str, Any]]:
    """Return what work makes, and its times and peak memory; the time of a first run doesn't count.

    clock: tells seconds; ``time.process_time`` those of the processor alone, which other processes don't make
    longer.
    """
    memory, seconds = PeakMemory(), []
    made = work()
    for _ in range(given["repeats"]):
        made = None  # what was made before is no memory that the work needs
        started = clock()
        made = work()
        seconds.append(clock() - started)
    return made, {"seconds": seconds, **memory.read()}


def digest(values: Any) -> str:
    """Return a digest of an array's bytes."""
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).hexdigest()

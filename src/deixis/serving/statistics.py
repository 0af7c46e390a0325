"""What an engine has done and holds, for whoever watches it; all of it bounded in size."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

FIRST_TOKEN_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)  # seconds
TOKEN_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds


@dataclass(frozen=True)
class Histogram:
    """How often a duration lay between bounds.

    counts: of up to each bound (seconds), and in the end of those above all. total: their sum.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float = 0.0

    @property
    def count(self) -> int:
        """Return how many there were."""
        return sum(self.counts)


class Meter:
    """Fills a histogram; used by many threads.

    >>> meter = Meter((0.1, 1.0))
    >>> meter.add(0.1), meter.add(0.5), meter.add(7)
    (None, None, None)
    >>> meter.histogram().counts
    (1, 1, 1)
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds, self._counts, self._total = bounds, [0] * (len(bounds) + 1), 0.0
        self._lock = threading.Lock()

    def add(self, seconds: float) -> None:
        """Count a duration."""
        with self._lock:
            self._counts[bisect_left(self._bounds, seconds)] += 1
            self._total += seconds

    def histogram(self) -> Histogram:
        """Return what was counted so far."""
        with self._lock:
            return Histogram(self._bounds, tuple(self._counts), self._total)


@dataclass(frozen=True)
class WorkDone:
    """What models have computed.

    tokens_read, tokens_reused: positions of prompts that were read, and that were known from earlier ones.
    tokens_written: of answers. pictures_encoded, pictures_known: pictures asked about that were encoded, and
    that were remembered. prefixes_found, prefixes_missed: prompts whose beginning was known, and was not.
    """

    tokens_read: int = 0
    tokens_reused: int = 0
    tokens_written: int = 0
    pictures_encoded: int = 0
    pictures_known: int = 0
    prefixes_found: int = 0
    prefixes_missed: int = 0

    def __add__(self, other: WorkDone) -> WorkDone:
        names = [one.name for one in fields(self)]
        return WorkDone(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class BytesHeld:
    """Memory in use now: weights, encoded pictures, remembered beginnings, answers being written."""

    models: int = 0
    pictures: int = 0
    prefixes: int = 0
    writing: int = 0

    def __add__(self, other: BytesHeld) -> BytesHeld:
        names = [one.name for one in fields(self)]
        return BytesHeld(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class Statistics:
    """Counters since the engine started, and gauges of now.

    ended: requests by outcome (answered, cancelled, late, failed). refused: requests that were not taken
    because too many waited. open: requests now by stage (queued, preparing, reading, writing). first_token:
    seconds from a request's arrival to its first token. token: seconds between tokens of one answer. work:
    see WorkDone. held: see BytesHeld. models_loaded: now. loads, drops, deaths: how often a model was loaded,
    made room for another one, and failed.
    """

    ended: Mapping[str, int]
    refused: int
    open: Mapping[str, int]
    queue_length: int
    first_token: Histogram
    token: Histogram
    work: WorkDone = field(default_factory=WorkDone)
    held: BytesHeld = field(default_factory=BytesHeld)
    models_loaded: int = 0
    loads: int = 0
    drops: int = 0
    deaths: int = 0

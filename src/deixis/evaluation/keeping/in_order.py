"""Work that several threads do ahead, its results in the order of what is to be done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
AHEAD = 4  # so many pieces for each thread are begun before the first of them is asked for


def in_order(work: Callable[[A], B], pieces: Iterable[A], *, workers: int) -> Iterator[B]:
    """Yield what the work makes of each piece, in order; with one worker nothing is done ahead.

    The first error ends it: nothing more is begun, what is under way is waited for.

    >>> list(in_order(str, [3, 1, 2], workers=2))
    ['3', '1', '2']
    """
    if workers == 1:
        yield from map(work, pieces)
        return
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(workers) as threads:
        try:
            for piece in pieces:
                waiting.append(threads.submit(work, piece))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

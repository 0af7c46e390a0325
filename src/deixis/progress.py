"""What a long computation tells whoever waits for it: its phases, and how far each has come.

The package computes and tells; drawing bars is for command lines (``deixis.cli.progress_bars``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Somebody who waits, and here doesn't care: nothing is drawn. Subclasses draw."""

    def phase(self, what: str) -> None:
        """Take note that a phase begins whose length nobody knows."""

    def track(
        self, items: Iterable[T], what: str, *, total: int | None = None, first: int = 0, unit: str = ""
    ) -> Iterator[T]:
        """Yield items while telling how many are done; ``what`` names the phase.

        total: how many there are in all, by default ``len(items)`` where that is known; first: how many of
        them were done before. unit: what one is.

        >>> list(SILENT.track("abc", "reading", unit="letter"))
        ['a', 'b', 'c']
        """
        yield from items

    def note(self, text: str) -> None:
        """Take a short note that belongs beside what is tracked, such as the loss of a step."""


SILENT = Progress()

"""Progress as bars on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from deixis.progress import Progress

T = TypeVar("T")


class ProgressBars(Progress):
    """Draws a bar for whatever is tracked, and a line for a phase of unknown length."""

    def __init__(self) -> None:
        self.bar: Any = None

    def phase(self, what: str) -> None:
        """Write a line."""
        print(what, file=sys.stderr, flush=True)

    def track(
        self, items: Iterable[T], what: str, *, total: int | None = None, first: int = 0, unit: str = ""
    ) -> Iterator[T]:
        """Yield items under a bar; none for no items, nor inside another one, so that they don't mix."""
        known = total if total is not None or not isinstance(items, Sized) else first + len(items)
        if self.bar is not None or known == 0:
            yield from items
            return
        from tqdm import tqdm

        with tqdm(
            total=known, initial=first, desc=what, unit=unit or "it", file=sys.stderr, dynamic_ncols=True
        ) as bar:
            self.bar = bar
            try:
                for item in items:
                    yield item
                    bar.update()
            finally:
                self.bar = None

    def note(self, text: str) -> None:
        """Write behind the bar."""
        if self.bar is not None:
            self.bar.set_postfix_str(text)

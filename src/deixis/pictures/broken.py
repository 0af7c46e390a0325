"""Damaged pictures of a dataset: an error when they come up, or passed over and counted beforehand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from deixis.errors import BadPicture, RecordError, UsageError

LOG = logging.getLogger("deixis")
REFUSE, PASS_OVER = BROKEN = ("refuse", "pass_over")
T = TypeVar("T")


@dataclass
class BrokenPictures:
    """What is done with entries whose pictures can't be opened.

    broken: "refuse" (an error that names the file, once the picture is needed) or "pass_over", for which
    every picture is decoded once. found: name of a picture -> what is wrong with it.
    """

    broken: str = REFUSE
    found: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.broken not in BROKEN:
            raise UsageError(f"broken is {self.broken!r}; expected one of {', '.join(BROKEN)}")

    def sound(
        self, entries: Iterable[T], *, opened: Callable[[T], object], name: Callable[[T], str]
    ) -> Iterator[T]:
        """Yield the entries that are kept. opened: opens the picture of one; name: what it is called."""
        for entry in entries:
            if self.broken == REFUSE or self._opens(entry, opened, name):
                yield entry

    def _opens(self, entry: T, opened: Callable[[T], object], name: Callable[[T], str]) -> bool:
        if name(entry) in self.found:
            return False
        try:
            opened(entry)
        except (BadPicture, RecordError) as fault:
            self.found[name(entry)] = str(fault)
            return False
        return True

    def report(self, source: Path) -> None:
        """Log how many pictures can't be opened, if any can't."""
        if self.found:
            first = next(iter(self.found.values()))
            LOG.warning(
                "%s: broken pictures that were passed over: %d; the first: %s", source, len(self.found), first
            )

"""Ending an answer before a text that was asked not to come."""

from __future__ import annotations

from collections.abc import Sequence


class StopFilter:
    """Lets text through up to the first of some texts. hit: it came.

    What could be the beginning of one waits until it is certain.

    >>> stop = StopFilter(["###"])
    >>> stop.add("A dog. #"), stop.add("#"), stop.add("# and more"), stop.hit
    ('A dog. ', '', '', True)
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stops)
        self.waiting = ""
        self.hit = False

    def add(self, text: str) -> str:
        """Return the text that may be shown by now."""
        if self.hit:
            return ""
        if not self.stops:
            return text
        self.waiting += text
        ends = [place for stop in self.stops if (place := self.waiting.find(stop)) >= 0]
        if ends:
            self.hit = True
            shown, self.waiting = self.waiting[: min(ends)], ""
            return shown
        held = max(begun(self.waiting, stop) for stop in self.stops)
        certain = len(self.waiting) - held
        shown, self.waiting = self.waiting[:certain], self.waiting[certain:]
        return shown

    def close(self) -> str:
        """Return what waited for a stop that didn't come."""
        shown, self.waiting = self.waiting, ""
        return "" if self.hit else shown


def begun(text: str, stop: str) -> int:
    """Return how many last characters of a text might begin ``stop``.

    >>> begun("a ab", "abc")
    2
    """
    most = min(len(text), len(stop) - 1)
    return next((count for count in range(most, 0, -1) if text.endswith(stop[:count])), 0)

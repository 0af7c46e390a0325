"""An answer of words only, read while it is written: nothing in it is a place, whatever it looks like."""

from __future__ import annotations

from deixis.answers.reading.phrase_reader import NOTHING, ReadDelta


class PlainReader:
    """An answer that comes piece by piece; all of it is text."""

    boxes = 0
    opened: int | None = None
    failures: tuple[str, ...] = ()

    def add(self, text: str) -> ReadDelta:
        """Return the same text: it is certain at once."""
        return ReadDelta(text) if text else NOTHING

    def drop(self) -> None:
        """Forget a place that is being written; there is none."""

    def close(self) -> ReadDelta:
        """Return the rest; there is none."""
        return NOTHING

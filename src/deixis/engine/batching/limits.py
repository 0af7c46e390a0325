"""What a running batch may take: rows, memory, and how much is read while others are being written."""

from __future__ import annotations

from dataclasses import dataclass, fields

from deixis.errors import TooLarge, UsageError

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class BatchLimits:
    """The limits of a batch; None for no limit.

    rows: how many requests are read and written at a time. cache_bytes: of keys and values of their rows.
    chunk: how many positions of prompts are read, at most, between two tokens of the answers being written.
    quiet_chunk: the same while none is being written. pause: for how many of their own steps those being
    written may stand still; as much is read as keeps within that, by what was measured of earlier steps. What
    sees itself in both directions is read at once all the same.
    """

    rows: int | None = 32
    cache_bytes: int | None = 1 << 30
    chunk: int | None = 256
    quiet_chunk: int | None = 512
    pause: float | None = 3.0

    def __post_init__(self) -> None:
        if self.pause is not None and not (
            isinstance(self.pause, int | float) and 1 < self.pause < float("inf")
        ):
            raise UsageError(f"pause is {self.pause!r}; expected a number of steps above 1, or None")
        for one in fields(self):
            if one.name == "pause":
                continue
            value = getattr(self, one.name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise UsageError(f"{one.name} is {value!r}; expected a whole number above 0, or None")

    def positions(self, *, writing: bool) -> int | None:
        """Return how many positions may be read before the next token."""
        return self.chunk if writing else self.quiet_chunk

    def fits(self, *, rows: int, slots: int, slot_bytes: int) -> bool:
        """Tell whether so many rows of so many slots are within the limits."""
        if self.rows is not None and rows > self.rows:
            return False
        return self.cache_bytes is None or rows * slots * slot_bytes <= self.cache_bytes

    def check(self, *, prompt: int, answer: int, slot_bytes: int) -> None:
        """Raise TooLarge for a request that could not be read and written even alone."""
        if self.fits(rows=1, slots=prompt + answer, slot_bytes=slot_bytes):
            return
        assert self.cache_bytes is not None
        needed = (prompt + answer) * slot_bytes
        raise TooLarge(
            f"the question takes {prompt} positions and its answer up to {answer}: {needed / MEBIBYTE:.1f} "
            f"MiB of keys and values, and there are {self.cache_bytes / MEBIBYTE:.1f} MiB in all. Ask for a "
            "shorter answer (max_new_tokens), or allow more memory"
        )


UNLIMITED = BatchLimits(rows=None, cache_bytes=None, chunk=None, quiet_chunk=None, pause=None)

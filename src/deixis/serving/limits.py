"""What an engine allows itself: rows, waiting questions, memory."""

from __future__ import annotations

from dataclasses import dataclass, fields

from deixis.errors import UsageError

PICTURES_SHARE, PREFIXES_SHARE = 0.25, 0.25  # of the memory for caches; the rest is for what is being written


@dataclass(frozen=True)
class EngineLimits:
    """The limits of an engine.

    rows: how many answers each model writes at a time. queue: how many questions may wait, over all models.
    cache_bytes: of each loaded model, besides its weights: a quarter for encoded pictures, a quarter for
    prompts' beginnings that are remembered, half for the keys and values of answers being written. chunk: how
    many positions of prompts are read between two tokens of the answers that are written; quiet_chunk: while
    none is written. encode: how many pictures are encoded as one batch. patience: for how long, in seconds, a
    model that doesn't fit beside the others lets these take further questions. deadline: of questions that
    have none, in seconds.
    """

    rows: int = 64
    queue: int = 256
    cache_bytes: int = 2 << 30
    chunk: int = 64
    quiet_chunk: int = 512
    encode: int = 8
    patience: float = 2.0
    deadline: float | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None or (one.name == "patience" and value == 0):
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise UsageError(f"{one.name} is {value!r}; expected a number above 0")

    @property
    def picture_bytes(self) -> int:
        """Return the budget of encoded pictures."""
        return int(self.cache_bytes * PICTURES_SHARE)

    @property
    def prefix_bytes(self) -> int:
        """Return the budget of remembered beginnings of prompts."""
        return int(self.cache_bytes * PREFIXES_SHARE)

    @property
    def writing_bytes(self) -> int:
        """Return the budget of keys and values of answers that are being written."""
        return self.cache_bytes - self.picture_bytes - self.prefix_bytes

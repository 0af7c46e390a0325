"""How an answer is to be decoded: how it is drawn, where it ends, what is told beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from deixis.errors import UsageError

MOST_NEW_TOKENS = 1024
MOST_STOPS, LONGEST_STOP = 16, 200
HOTTEST = 100.0


@dataclass(frozen=True)
class Settings:
    """The settings of one answer; greedy unless a temperature is given, whatever a model's folder says.

    temperature: 0 takes the likeliest token; otherwise tokens are drawn from the softmax of logits divided by
    it. top_p: only among the likeliest tokens that together have this share. seed: the same seed draws the
    same answer, whoever else is asked meanwhile; None draws anew. stop: texts before which the answer ends.
    max_new_tokens: longest answer. logprobs: whether the answer keeps the log-probability of each token.
    max_places: so many places are named at most; an answer that can't go on without another one ends there.
    grammar: whether only what can be read back may be written; None leaves it to the system. UsageError for
    values out of range.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 64
    logprobs: bool = False
    max_places: int | None = None
    grammar: bool | None = None

    def __post_init__(self) -> None:
        stop = tuple(self.stop) if isinstance(self.stop, list | tuple) else (self.stop,)
        object.__setattr__(self, "stop", stop)
        whole(self.max_new_tokens, "max_new_tokens", least=1, most=MOST_NEW_TOKENS)
        number(self.temperature, "temperature", least=0.0, most=HOTTEST)
        number(self.top_p, "top_p", least=0.0, most=1.0)
        if self.top_p == 0:
            raise UsageError("top_p is 0; expected a share above 0, up to 1")
        if self.seed is not None:
            whole(self.seed, "seed", least=0, most=2**63 - 1)
        if self.max_places is not None:
            whole(self.max_places, "max_places", least=0, most=MOST_NEW_TOKENS)
        if len(stop) > MOST_STOPS or not all(isinstance(s, str) and 0 < len(s) <= LONGEST_STOP for s in stop):
            raise UsageError(
                f"stop is {stop!r:.120}; expected up to {MOST_STOPS} texts of 1 to {LONGEST_STOP} letters"
            )
        for name in ("logprobs", "grammar"):
            value = getattr(self, name)
            if not isinstance(value, bool) and not (name == "grammar" and value is None):
                raise UsageError(f"{name} is {value!r}; expected True or False")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return what can be set."""
        return tuple(field.name for field in fields(cls))


def whole(value: Any, name: str, *, least: int, most: int) -> None:
    """Raise UsageError unless a setting is a whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; expected a whole number from {least} to {most}")


def number(value: Any, name: str, *, least: float, most: float) -> None:
    """Raise UsageError unless a setting is a number within bounds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; expected a number from {least:g} to {most:g}")

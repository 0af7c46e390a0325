"""How one answer is decoded: what a system decides at each step, seen by the one loop that decodes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from deixis.answers.grounded import Finish, Span
from deixis.engine.embedded import Embedded
from deixis.engine.settings import Settings


@dataclass(frozen=True)
class Delta:
    """What became certain by one more token: text and spans to be put behind those before.

    ended: no more comes. unanswerable: the answer is that the question can't be answered.
    """

    text: str = ""
    spans: tuple[Span, ...] = ()
    ended: bool = False
    unanswerable: bool = False


NOTHING = Delta()


@dataclass(frozen=True)
class Probe:
    """Tokens that might follow a prompt: the request's own, or another one that is read ``instead``."""

    tokens: tuple[int, ...] = ()
    instead: Embedded | None = None


Start = Generator[Sequence[Probe], Tensor, Sequence[int]]
"""Yields probes and is sent logits (n, V) of what follows each; returns the tokens an answer begins with."""


class Policy(Protocol):
    """Decodes one answer."""

    @property
    def places(self) -> Sequence[Any]:
        """Return what the network said at each place so far."""
        ...

    def start(self, logits: Tensor) -> Start:
        """Return a generator that chooses how the answer begins, given the logits (V,) of its first token."""
        ...

    def forced(self, hidden: Tensor) -> Sequence[int]:
        """Return tokens that aren't the words' to decide, given the hidden state (D,) they'd be read from."""
        ...

    def constrain(self, logits: Tensor) -> Tensor:
        """Return logits (V,) with minus infinity for tokens that must not come next."""
        ...

    def accept(self, token: int, logprob: float) -> Delta:
        """Take the next token and return what became certain by it."""
        ...

    def close(self, finish: Finish) -> Delta:
        """Return what is left when no further token comes."""
        ...


@dataclass(frozen=True)
class Request:
    """One answer to be decoded."""

    embedded: Embedded
    policy: Policy
    settings: Settings


@dataclass(frozen=True)
class Completion:
    """What a network wrote.

    ids: tokens, the end token too. logprobs: the log-probability of each. places: what the network said at
    each place, in order, the system's own type.
    """

    ids: tuple[int, ...]
    logprobs: tuple[float, ...] = ()
    places: tuple[Any, ...] = ()
    finish: Finish = "stop"
    settings: Settings = field(default_factory=Settings)


def unguided() -> Start:
    """Return a beginning that is left to the words.

    >>> next(unguided(), "nothing is tried out")
    'nothing is tried out'
    """
    yield from ()
    return ()

"""One request on its way through a batch: waiting, read, written, over."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from deixis.answers.grounded import Finish
from deixis.engine.embedded import Embedded
from deixis.engine.policy import Completion, Delta, Request
from deixis.engine.sampling import Sampler


@dataclass(frozen=True)
class Event:
    """What became certain of one of the answers; completion: it is over."""

    number: int
    delta: Delta
    completion: Completion | None = None


@dataclass(frozen=True)
class Broken:
    """An answer that will not be finished: its number, and what its policy raised or the network said."""

    number: int
    error: Exception


@dataclass(eq=False)
class Answering:
    """One answer from when it was asked for.

    prompt: what is read before the next token is chosen; the request's own, or, where it has to be read anew,
    with all that was written. hidden (D,): the state that the next token is read from, once it has been.
    waiting: tokens that are still to be said, the next one last. leader: another one that reads the first
    ``shared`` positions for this one too.
    """

    number: int
    request: Request
    prompt: Embedded
    sampler: Sampler
    hidden: Tensor | None = None
    begun: bool = False
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    leader: Answering | None = None
    shared: int = 0
    finish: Finish | None = None
    cancelled: bool = False

    @classmethod
    def of(cls, number: int, request: Request) -> Answering:
        """Return an answer of which nothing is read."""
        return cls(number, request, request.embedded, Sampler(request.settings))

    @property
    def slots(self) -> int:
        """How many positions it may come to hold."""
        return len(self.request.embedded) + self.request.settings.max_new_tokens

    @property
    def identity(self) -> tuple[object, ...]:
        """What stands at each position that was read or is to be read."""
        known = len(self.prompt) - len(self.request.embedded)
        return (*self.prompt.identity, *self.ids[known:]) if self.ids[known:] else self.prompt.identity

    def take(self, token: int, logprob: float) -> Event:
        """Put a token behind the answer and say what became certain by it."""
        self.ids.append(token)
        self.logprobs.append(logprob)
        delta = self.request.policy.accept(token, logprob)
        if delta.ended:
            self.finish = "stop"
        elif self.cancelled:
            self.finish = "cancelled"
        elif len(self.ids) >= self.request.settings.max_new_tokens:
            self.finish = "length"
        return Event(self.number, delta) if self.finish is None else self.ended(delta)

    def ended(self, delta: Delta) -> Event:
        """Return the last event of an answer that is over, ``delta`` and what was left to say."""
        assert self.finish is not None, "the answer is still being written"
        rest = self.request.policy.close(self.finish)
        whole = Delta(
            delta.text + rest.text,
            (*delta.spans, *rest.spans),
            ended=True,
            unanswerable=delta.unanswerable or rest.unanswerable,
        )
        completion = Completion(
            tuple(self.ids),
            tuple(self.logprobs),
            tuple(self.request.policy.places),
            self.finish,
            self.request.settings,
        )
        return Event(self.number, whole, completion)

"""The answers to some requests, all of them asked for at once: a batch that nobody joins later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deixis.engine.batching.answering import Answering, Broken, Event
from deixis.engine.batching.limits import UNLIMITED
from deixis.engine.continuous import ContinuousDecoding
from deixis.engine.decoder import Decoder
from deixis.engine.policy import Completion, Request
from deixis.engine.prefixes import PrefixCache

__all__ = ["Decoding", "Event"]


class Decoding:
    """The answers to some requests, written together. An error of one of them is raised."""

    def __init__(
        self, decoder: Decoder, requests: Sequence[Request], *, prefixes: PrefixCache | None = None
    ) -> None:
        self.requests = list(requests)
        self.batch = ContinuousDecoding(decoder, limits=UNLIMITED, prefixes=prefixes)
        self.cancelled = False

    def __iter__(self) -> Iterator[Event]:
        """Yield what becomes certain, token by token, until every answer is over."""
        if not self.requests:
            return
        yield from self.start()
        while self.active:
            yield from self.advance()

    @property
    def active(self) -> list[Answering]:
        """Those that are being written."""
        return self.batch.members

    def completions(self) -> list[Completion]:
        """Return what is written in answer to each request, all of it."""
        done = {event.number: event.completion for event in self if event.completion is not None}
        return [done[number] for number in range(len(self.requests))]

    def cancel(self) -> None:
        """Let every answer end at its next token."""
        self.cancelled = True
        for one in self.active:
            one.cancelled = True

    def start(self) -> list[Event]:
        """Read all prompts and choose how the answers begin."""
        for request in self.requests:
            self.batch.submit(request)
        events = self.advance()
        if self.cancelled:
            self.cancel()
        return events

    def advance(self) -> list[Event]:
        """Take every answer one token further; those that are over make room."""
        events = self.batch.advance()
        for event in events:
            if isinstance(event, Broken):
                raise event.error
        return [event for event in events if isinstance(event, Event)]

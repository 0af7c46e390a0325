"""Requests decoded one after the other."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from deixis.engine.decoder import Decoder
from deixis.engine.loop import Decoding, Event
from deixis.engine.policy import Completion, Delta, Request
from deixis.engine.prefixes import PrefixCache


class OneByOne:
    """A decoding that requests can be added to; each is begun when the one before it is over."""

    def __init__(self, decoder: Decoder, *, prefixes: PrefixCache | None = None) -> None:
        self._decoder, self._prefixes = decoder, prefixes
        self._waiting: deque[tuple[int, Request]] = deque()
        self._now: tuple[int, Decoding] | None = None
        self._ticket = 0
        self._cancelled: list[tuple[int, Request]] = []

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self._waiting or self._cancelled) and self._now is None

    def submit(self, request: Request) -> int:
        """Let a request wait for its turn, and return its ticket."""
        self._ticket += 1
        self._waiting.append((self._ticket, request))
        return self._ticket

    def cancel(self, ticket: int) -> None:
        """Let a request end at its next token."""
        if self._now is not None and self._now[0] == ticket:
            self._now[1].cancel()
        found = [one for one in self._waiting if one[0] == ticket]
        for one in found:
            self._waiting.remove(one)
        self._cancelled += found

    def advance(self) -> list[Event]:
        """Take the answer that is being written one token further."""
        events = [
            Event(ticket, Delta(ended=True), Completion((), finish="cancelled", settings=request.settings))
            for ticket, request in self._cancelled
        ]
        self._cancelled = []
        if self._now is None and self._waiting:
            ticket, request = self._waiting.popleft()
            self._now = ticket, Decoding(self._decoder, [request], prefixes=self._prefixes)
            self._now[1].start()
        if self._now is not None:
            ticket, decoding = self._now
            events += [replace(event, number=ticket) for event in decoding.advance()]
            if not decoding.active:
                self._now = None
        return events

"""Room for requests: how many are open, of whom, and how much memory they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from deixis.server.guards.key_check import WHO
from deixis.server.limits import ServerLimits
from deixis.server.refusals import Refusal, response_of

VISIT = "deixis.visit"  # in a request's scope: its room
READING = ("GET", "HEAD", "OPTIONS")  # methods that take no room: they only tell of what there is
LATER = 1.0  # seconds after which there may be room


class Room:
    """Room for the requests of a server, used by its event loop alone. closing: no more are let in."""

    def __init__(self, limits: ServerLimits) -> None:
        self.limits = limits
        self.closing = False
        self.held = 0
        self._open: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """Return how many requests are open."""
        return self._open.total()

    @contextmanager
    def visit(self, who: str) -> Iterator[Visit]:
        """Let a request in for as long as it lasts; Refusal if there is no room."""
        if self.closing:
            raise Refusal(503, "the server is about to stop and takes no new requests", code="closing")
        if self.open >= self.limits.requests:
            raise self.full(503, f"{self.open} requests are open, and at most {self.limits.requests} may be")
        if self._open[who] >= self.limits.requests_each:
            raise self.full(
                429,
                f"{self._open[who]} requests of yours are open, at most {self.limits.requests_each} may be",
            )
        self._open[who] += 1
        own = Visit(self)
        try:
            yield own
        finally:
            own.release()
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    def full(self, status: int, message: str) -> Refusal:
        """Return why there is no room."""
        return Refusal(status, f"{message}; try again later", code="too_many_requests", retry_after=LATER)


class Visit:
    """A request that was let in, and the memory that it holds."""

    def __init__(self, room: Room) -> None:
        self._room, self._held = room, 0

    def hold(self, count: int) -> None:
        """Take room for bytes; Refusal if all requests together hold too many."""
        limit = self._room.limits.held_bytes
        if self._room.held + count > limit:
            raise self._room.full(503, f"all requests together hold more than {limit:,} bytes")
        self._held += count
        self._room.held += count

    def release(self, count: int | None = None) -> None:
        """Give room for bytes back; all of it by default."""
        given = self._held if count is None else min(count, self._held)
        self._held -= given
        self._room.held -= given


class Admission:
    """Lets requests that do something in while there is room for them."""

    def __init__(self, app: ASGIApp, *, room: Room) -> None:
        self.app, self.room = app, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["method"] in READING:
            await self.app(scope, receive, send)
            return
        with ExitStack() as stack:
            try:
                scope[VISIT] = stack.enter_context(self.room.visit(scope[WHO]))
            except Refusal as refusal:
                await response_of(refusal)(scope, receive, send)
                return
            await self.app(scope, receive, send)

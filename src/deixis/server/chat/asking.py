"""A question in the engine, seen from the event loop: its events as they come, taken back if nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

from deixis.serving.asked import Asked, Event, Failed, Finished
from deixis.serving.engine import Engine, Ticket


class Asking:
    """One question. Made in the event loop; ``submit`` may be called in any thread, once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._ticket: Ticket | None = None
        self._unwanted = False

    def submit(self, asked: Asked) -> None:
        """Give the question to the engine; errors are the engine's."""
        self._ticket = self._engine.submit(asked, self._told)
        if self._unwanted:
            self._ticket.cancel()

    def cancel(self) -> None:
        """Take the question back, unless it is over."""
        self._unwanted = True
        if self._ticket is not None and not self._ticket.over:
            self._ticket.cancel()

    async def events(self) -> AsyncIterator[Event]:
        """Yield what the engine tells, the last event too."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Finished | Failed):
                return

    def _told(self, event: Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)


@asynccontextmanager
async def wanted(asking: Asking, receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
    """Take a question back when whoever asked closes the connection, and when this is left before its end.

    Yields what is done when the connection is closed. The body of the request must have been read.
    """
    gone = asyncio.ensure_future(until_gone(receive))
    gone.add_done_callback(lambda _: None if gone.cancelled() else asking.cancel())
    try:
        yield gone
    except BaseException:
        asking.cancel()
        raise
    finally:
        gone.cancel()


async def until_gone(receive: Receive) -> None:
    """Return when a connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass

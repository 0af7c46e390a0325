"""A reply as server-sent events, each as soon as it is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deixis.errors import DeixisError
from deixis.pictures.opening import Picture
from deixis.server.chat.asking import Asking, wanted
from deixis.server.chat.reply import Reply
from deixis.server.json_response import as_json
from deixis.server.refusals import error_object, refusal_of
from deixis.serving.asked import Event, Failed, Finished, Progress

LOG = logging.getLogger("deixis")
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies are to pass events on at once
END = b"data: [DONE]\n\n"


class EventStream(Response):
    """Sends a reply while it is written. The question is taken back when its sender goes, or takes nothing.

    first: the event that came already. told_usage: whether tokens are told before the end. stall: seconds for
    which nothing may be taken.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        asking: Asking,
        events: AsyncIterator[Event],
        first: Event,
        *,
        reply: Reply,
        pictures: tuple[Picture, ...],
        told_usage: bool,
        stall: float,
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self.asking, self.events, self.begun = asking, events, first
        self.reply, self.pictures, self.told_usage, self.stall = reply, pictures, told_usage, stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all events, unless nobody is there to receive them."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        try:
            async with wanted(self.asking, receive):
                await self.sent(send, start)
                async for piece in self.pieces():
                    await self.sent(send, {"type": "http.response.body", "body": piece, "more_body": True})
                await self.sent(send, {"type": "http.response.body", "body": b"", "more_body": False})
        except (OSError, TimeoutError):
            LOG.info("whoever asked took no more of the answer")

    async def sent(self, send: Send, message: dict[str, Any]) -> None:
        """Send a message; TimeoutError if it isn't taken."""
        async with asyncio.timeout(self.stall):
            await send(message)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield events as they are sent."""
        yield event_of(self.reply.first())
        async for event in self.all_events():
            if isinstance(event, Progress):
                if piece := self.reply.progress(event.delta, self.pictures):
                    yield event_of(piece)
                continue
            try:
                for piece in self.ending(event):
                    yield event_of(piece)
            except DeixisError as fault:
                yield event_of(error_object(refusal_of(fault)))
                return
            yield END

    async def all_events(self) -> AsyncIterator[Event]:
        """Yield the event that came already, and the others."""
        yield self.begun
        if isinstance(self.begun, Progress):
            async for event in self.events:
                yield event

    def ending(self, event: Finished | Failed) -> list[dict[str, Any]]:
        """Return the last pieces; raises what failed."""
        if isinstance(event, Failed):
            raise event.error
        return [self.reply.last(event), *([self.reply.usage(event)] if self.told_usage else [])]


def event_of(content: dict[str, Any]) -> bytes:
    """Return an event that holds JSON."""
    return b"data: " + as_json(content) + b"\n\n"

"""One replica: the application with an engine of its own, asked by method call instead of over a socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Served:
    """An ASGI application, and whether what stands behind it still answers."""

    app: Any
    alive: Callable[[], bool] = lambda: True


class Replica:
    """Runs the application that ``build`` makes; Ray starts another one where this one's engine has died."""

    def __init__(self, build: Callable[[], Served]) -> None:
        self.served = build()
        self._life: contextlib.AsyncExitStack | None = None
        self._starting = asyncio.Lock()

    def check_health(self) -> None:
        """Raise RuntimeError where nothing is answered any more; Ray asks now and then."""
        if not self.served.alive():
            raise RuntimeError("the engine of this replica has died")

    async def answer(self, key: str, scope: dict[str, Any], body: bytes) -> AsyncIterator[Message]:
        """Yield the ASGI messages that answer a request. key: what it was routed by.

        Leaving before the end tells the application that whoever asked has gone.
        """
        await self._started()
        messages: asyncio.Queue[Message | None] = asyncio.Queue(maxsize=8)
        incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        gone = asyncio.Event()

        async def receive() -> Message:
            if incoming:
                return incoming.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def run() -> None:
            try:
                await self.served.app(scope, receive, messages.put)
            finally:
                await messages.put(None)

        task = asyncio.create_task(run())
        try:
            while (message := await messages.get()) is not None:
                yield message
            await task  # raises what the application did
        finally:
            gone.set()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    async def _started(self) -> None:
        """Run what the application does before its first request."""
        async with self._starting:
            router = getattr(self.served.app, "router", None)
            if self._life is None and router is not None:
                life = contextlib.AsyncExitStack()
                await life.enter_async_context(router.lifespan_context(self.served.app))
                self._life = life

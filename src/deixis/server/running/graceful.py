"""Running an application until it is told to end: gently at first, at once the second time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from deixis.server.guards.keys import Keys
from deixis.server.running.connections import Connection
from deixis.server.service import Service

LOG = logging.getLogger("deixis")
LOOK_EVERY = 0.05  # seconds
CUT_SECONDS = 5.0  # for requests to tell their senders that they were cut
KEEP_ALIVE = 30  # seconds for which an idle connection stays
ENDING = (signal.SIGINT, signal.SIGTERM)
SILENT = ("uvicorn", "uvicorn.error", "uvicorn.access")  # loggers whose words are not ours


def serve(
    app: FastAPI,
    sock: socket.socket,
    *,
    grace: float,
    ready: Callable[[], None] = lambda: None,
    keys: Keys | None = None,
) -> None:
    """Answer at a listening socket until SIGTERM or SIGINT.

    Then new requests get status 503, and those that are open end within ``grace`` seconds or are cut; a
    second signal ends the process at once. SIGHUP has keys read anew. ready: called when requests may come.
    """
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    GracefulServer(app, grace=grace, ready=ready, keys=keys).run(sockets=[sock])


class GracefulServer(uvicorn.Server):
    """uvicorn's server, but for how it ends."""

    def __init__(
        self,
        app: FastAPI,
        *,
        grace: float,
        ready: Callable[[], None] = lambda: None,
        keys: Keys | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who asks is who connects, whatever they say
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=2,
            )
        )
        self.service: Service = app.state.service
        self.grace, self.ready, self.keys = grace, ready, keys
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self.ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while the server runs; a process that ends by them ends well."""
        own: dict[Any, Any] = dict.fromkeys(ENDING, self.on_signal)
        if self.keys is not None and hasattr(signal, "SIGHUP"):
            own[signal.SIGHUP] = self.on_hangup
        try:
            before = {number: signal.signal(number, handler) for number, handler in own.items()}
        except ValueError:  # not the main thread, where no signal arrives
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_signal(self, number: int, _: FrameType | None) -> None:
        """Begin to end, or end at once where that has begun."""
        if self.service.room.closing:
            os._exit(128 + number)
        self.end()

    def on_hangup(self, *_: Any) -> None:
        """Read keys anew."""
        if self.keys is not None:
            self.keys.reload()

    def end(self) -> None:
        """Let no new request in, and end when the open ones have; called from any thread."""
        self.service.room.closing = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_to_end)

    def _begin_to_end(self) -> None:
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end_gently())

    async def _end_gently(self) -> None:
        room = self.service.room
        LOG.info("no new requests; %d are open", room.open)
        try:
            if not await self._none_open(self.grace):
                LOG.warning("%d requests are cut, for they took longer than %g s", room.open, self.grace)
                await asyncio.to_thread(self.service.engine.close)
                await self._none_open(CUT_SECONDS)
        finally:
            self.should_exit = True

    async def _none_open(self, seconds: float) -> bool:
        """Return whether all requests are over, as soon as they are, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.service.room.open:
                    await asyncio.sleep(LOOK_EVERY)
        return not self.service.room.open

"""What the routes of one server share: the engine, limits, room, uploads, and threads for what takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from deixis.server.guards.admission import Room
from deixis.server.limits import ServerLimits
from deixis.server.pictures.allowed import AllowedSources
from deixis.server.pictures.opening import PictureOpening
from deixis.server.pictures.uploads import Uploads
from deixis.serving.engine import Engine

Result = TypeVar("Result")


class Service:
    """One server's parts. ``close`` ends its threads; the engine is not its own and stays as it is."""

    def __init__(self, engine: Engine, *, limits: ServerLimits, allowed: AllowedSources) -> None:
        self.engine, self.limits = engine, limits
        self.room = Room(limits)
        self.uploads = Uploads(most=limits.uploads, most_bytes=limits.upload_bytes)
        self.opening = PictureOpening(limits, self.uploads, allowed)
        self._threads = ThreadPoolExecutor(limits.threads, "deixis requests")
        self._fetching = ThreadPoolExecutor(limits.threads, "deixis pictures")

    def name_of(self, model: str | None) -> str:
        """Return the name of the model that is asked; that of the default one where none is named."""
        return model or next((one.name for one in self.engine.models() if one.default), "")

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Return what some work gives, done in a thread so that nobody else has to wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def fetching(self, work: Callable[[], Result]) -> Result:
        """Do the same for work that waits for other hosts, in threads of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._fetching, work)

    def close(self) -> None:
        """Let the threads end after what they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._fetching.shutdown(wait=False, cancel_futures=True)

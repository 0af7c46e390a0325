"""The server itself on a free port, in this process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from deixis.server.application import create_app
from deixis.server.limits import ServerLimits
from deixis.serving.engine import Engine, EngineLimits, Models
from deixis.systems.contract import System


@dataclass(frozen=True)
class Running:
    """A server that answers at ``address``, and its engine."""

    address: str
    engine: Engine


@contextmanager
def serving(
    models: Mapping[str, str | Path | System],
    *,
    limits: EngineLimits | None = None,
    server_limits: ServerLimits | None = None,
    **options: Any,
) -> Iterator[Running]:
    """A server of some models for as long as a test lasts; options: those of ``create_app``."""
    with Engine(Models(models, device="cpu"), limits=limits) as engine:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = uvicorn.Config(
            create_app(engine, limits=server_limits, **options),
            host="127.0.0.1",
            port=port,
            log_level="error",
            access_log=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        try:
            yield Running(f"http://127.0.0.1:{port}", engine)
        finally:
            server.should_exit = True
            thread.join()

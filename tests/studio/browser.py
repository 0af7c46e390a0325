"""A headless Chromium for tests of the page, and a server in a thread; where there is no browser, a skip."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--force-color-profile=srgb",
]  # fmt: skip
WAIT = 20.0  # seconds


def chromium() -> Path | None:
    """Return where a Chromium is, if there is one."""
    named = os.environ.get("DEIXIS_CHROMIUM")
    known = [named, "chromium", "chromium-browser", "google-chrome"]
    return next((Path(path) for name in known if name and (path := shutil.which(name))), None)


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """Yield a browser; the test is skipped, with the reason, where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("the browser tests need playwright; install it: pip install 'deixis[dev]'")
    path = chromium()
    if path is None:
        pytest.skip("the browser tests need Chromium; install Debian's: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(path), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Served:
    """An application served on loopback from a thread."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.port = free_port()
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self.start()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/studio/"

    def start(self) -> None:
        """Serve, at the same address as before."""
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + WAIT
        while not self._server.started:
            assert time.monotonic() < until, "the server didn't start"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once; open connections break."""
        assert self._thread is not None
        self._server.force_exit = self._server.should_exit = True
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._thread.join(WAIT)


def free_port() -> int:
    """Return a port on loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

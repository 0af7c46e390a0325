"""What is seen of every request: a line of the access log, counters, and a last word where all else fails.

The log names routes, not paths, and neither headers nor bodies: no picture, key or question gets into it.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deixis.server.guards.key_check import WHO
from deixis.server.metrics import HTTPMeter
from deixis.server.refusals import response_of

LOG = logging.getLogger("deixis")
GONE = 499  # the status in the log of a request whose sender didn't wait for an answer
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Watch:
    """Counts and logs requests, and answers those with status 500 that raise what nobody else expects."""

    def __init__(self, app: ASGIApp, *, meter: HTTPMeter) -> None:
        self.app, self.meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and see what becomes of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, seen)
        except ClientDisconnect:
            status = status or GONE
        except Exception as fault:
            LOG.exception("a request failed")
            if not status:
                await response_of(fault)(scope, receive, seen)
        except BaseException:  # the server ends before the request does
            status = status or GONE
            raise
        finally:
            self.tell(scope, status or GONE, time.perf_counter() - started)

    def tell(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that is over, and log it."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        path = route_of(scope)
        self.meter.add(method=method, path=path, status=status, seconds=seconds)
        LOG.info("%s %s %d %.3f s, %s", method, path, status, seconds, scope.get(WHO, "not let in"))


def route_of(scope: Scope) -> str:
    """Return the path of the route that a request took, with names in the place of what was asked for."""
    path: Any = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "no route"

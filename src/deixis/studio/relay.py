"""The studio before a server elsewhere: questions are passed on, and replies as they are written.

Pictures are kept here as well as there, so that exports work with any ``deixis serve``.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Collection, Iterator
from urllib.parse import SplitResult, urlsplit

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from deixis.endpoints.bounds import check_address
from deixis.errors import EndpointError, UsageError
from deixis.server.application import add_errors
from deixis.server.bodies import body_of
from deixis.server.guards.admission import Admission
from deixis.server.guards.host_check import LOOPBACK, HostCheck
from deixis.server.guards.key_check import KeyCheck
from deixis.server.limits import ServerLimits
from deixis.server.pictures.allowed import AllowedSources
from deixis.server.refusals import Refusal
from deixis.server.service import Service
from deixis.serving.engine import Engine
from deixis.serving.models import ModelState
from deixis.studio.pages import add_pages
from deixis.studio.routes import studio_routes
from deixis.systems.contract import System

TIMEOUT = 300.0  # seconds between two pieces of a reply
PASSED_ON = ("content-type", "retry-after")
CHUNK = 1 << 16


class Elsewhere(Engine):
    """Stands for an engine on another machine, where nothing can be looked at."""

    def __init__(self) -> None:
        """Make it; there is nothing to start."""

    def close(self) -> None:
        """Do nothing: what is written elsewhere ends when its reader is gone."""

    def models(self) -> list[ModelState]:
        """Return none: the page asks the server itself."""
        return []

    def system(self, model: str) -> System:
        """Raise UsageError: a system is lent only where it runs."""
        raise UsageError(f"model {model!r:.80} runs on another server, which can't be looked into from here")


class Upstream:
    """The server that questions are passed on to.

    address: with or without /v1. key: sent as the bearer's token, if there is one.
    """

    def __init__(self, address: str, *, key: str | None = None) -> None:
        check_address(address)
        self.address = address.rstrip("/").removesuffix("/v1").rstrip("/")
        self.key = key
        self._parts: SplitResult = urlsplit(self.address)

    def request(self, method: str, path: str, body: bytes, media_type: str) -> http.client.HTTPResponse:
        """Return a reply, still to be read; EndpointError if there is no server."""
        headers = {"Content-Type": media_type} if body else {}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        connection = self._connection()
        try:
            connection.request(method, self._parts.path + path, body=body or None, headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            raise EndpointError(f"{self.address} can't be reached: {fault or type(fault).__name__}") from None

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)


def create_relay(
    upstream: Upstream,
    *,
    limits: ServerLimits | None = None,
    hosts: Collection[str] | None = LOOPBACK,
) -> FastAPI:
    """Return the page and its routes before a server elsewhere; hosts: as for ``create_app``."""
    app = FastAPI(title="Deixis Studio", docs_url=None, redoc_url=None, openapi_url=None)
    own = ServerLimits() if limits is None else limits
    service = Service(Elsewhere(), limits=own, allowed=AllowedSources())
    app.state.service = service
    app.include_router(relay_routes(upstream, service))
    app.include_router(studio_routes())
    add_errors(app)
    add_pages(app)
    app.add_middleware(Admission, room=service.room)
    app.add_middleware(KeyCheck, keys=None, open_paths=())
    app.add_middleware(HostCheck, hosts=hosts)
    return app


def relay_routes(upstream: Upstream, service: Service) -> APIRouter:
    """Return the routes that are passed on."""
    routes = APIRouter(include_in_schema=False)

    async def passed(request: Request, body: bytes = b"") -> Response:
        media_type = request.headers.get("content-type", "application/octet-stream")

        def ask() -> http.client.HTTPResponse:
            return upstream.request(request.method, request.url.path, body, media_type)

        try:
            reply = await service.fetching(ask)
        except EndpointError as fault:
            raise Refusal(502, str(fault), code="EndpointError") from None
        headers = {name: value for name in PASSED_ON if (value := reply.getheader(name))}
        return StreamingResponse(pieces(reply), status_code=reply.status, headers=headers)

    @routes.get("/health")
    @routes.get("/v1/models")
    async def told(request: Request) -> Response:
        return await passed(request)

    @routes.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        return await passed(request, await body_of(request, service.limits))

    @routes.post("/v1/pictures")
    async def pictures(request: Request) -> Response:
        body = await body_of(request, service.limits)
        picture = await service.in_thread(lambda: service.opening.opened(body, where="the body"))
        service.uploads.put(body, picture)
        return await passed(request, body)

    return routes


def pieces(reply: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield a reply as it arrives; leaving it half read closes the connection, which cancels the answer."""
    with reply:
        while piece := reply.read1(CHUNK):
            yield piece

"""The application: an engine in, routes out, with its guards around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

from deixis import __version__
from deixis.errors import DeixisError
from deixis.server.chat.routes import chat_routes
from deixis.server.field_faults import fault_of
from deixis.server.guards.admission import Admission
from deixis.server.guards.host_check import LOOPBACK, HostCheck
from deixis.server.guards.key_check import KeyCheck
from deixis.server.guards.keys import Keys
from deixis.server.guards.watch import Watch
from deixis.server.json_response import JSONReply
from deixis.server.limits import ServerLimits
from deixis.server.metrics import EngineCollector, HTTPMeter
from deixis.server.openapi import schema_of
from deixis.server.pictures.allowed import AllowedSources
from deixis.server.pictures.routes import picture_routes
from deixis.server.refusals import Refusal, response_of
from deixis.server.service import Service
from deixis.server.status_routes import status_routes
from deixis.serving.engine import Engine

DESCRIPTION = (
    "Point at part of a picture and ask; answers in words, with the places they speak of. Chat completions "
    "as OpenAI's, with regions as content parts and places in replies. Coordinates are in pixels of the "
    "original picture unless a frame is named."
)
HEADERS = ("Authorization", "Content-Type")


def create_app(
    engine: Engine,
    *,
    limits: ServerLimits | None = None,
    keys: Keys | None = None,
    pictures: AllowedSources | None = None,
    hosts: Collection[str] | None = LOOPBACK,
    origins: Sequence[str] = (),
    routers: Sequence[APIRouter] = (),
    open_paths: Collection[str] = (),
) -> FastAPI:
    """Return the application that answers with an engine, which the caller starts and closes.

    keys: who may ask; None asks for no key. pictures: hosts and folders that pictures may come from; none by
    default. hosts: the names by which the server may be asked, None for any; see ``guards.host_check``.
    origins: pages of which origins may ask (CORS); none by default. routers: further routes. open_paths:
    paths of these that need no key, those that end in a slash with all below; ``/health`` never does.
    ``app.state.service`` has what routes share.
    """
    service = Service(
        engine,
        limits=ServerLimits() if limits is None else limits,
        allowed=AllowedSources() if pictures is None else pictures,
    )
    registry = CollectorRegistry()
    registry.register(EngineCollector(engine.statistics, lambda: engine.alive))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="Deixis",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    for routes in (chat_routes(service), picture_routes(service), status_routes(service, registry), *routers):
        app.include_router(routes)
    add_schema(app, keys)
    add_errors(app)
    # The last one is the outermost.
    app.add_middleware(Admission, room=service.room)
    app.add_middleware(KeyCheck, keys=keys, open_paths=("/health", *open_paths))
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=("GET", "POST"), allow_headers=HEADERS
        )
    app.add_middleware(HostCheck, hosts=hosts)
    app.add_middleware(Watch, meter=HTTPMeter(registry))
    return app


def add_schema(app: FastAPI, keys: Keys | None) -> None:
    """Let ``/openapi.json`` tell the schema."""

    @cache
    def schema() -> JSONReply:
        return JSONReply(schema_of(app, keys=keys))

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONReply:
        return schema()


def add_errors(app: FastAPI) -> None:
    """Let errors be told in one shape, whoever raises them."""

    async def ours(_: Request, fault: Exception) -> JSONReply:
        return response_of(fault)

    async def of_http(_: Request, fault: Exception) -> JSONReply:
        assert isinstance(fault, HTTPException)
        said = {404: "there is no such path", 405: "the path has no such method"}
        message = f"{said.get(fault.status_code, fault.detail)}; see /openapi.json"
        return response_of(Refusal(fault.status_code, message, headers=fault.headers))

    async def of_fields(_: Request, fault: Exception) -> JSONReply:
        assert isinstance(fault, RequestValidationError)
        own = fault_of(fault.errors()[0], {})
        return response_of(Refusal(422, str(own), code="UsageError", param=own.param))

    for kind in (DeixisError, Refusal):
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_fields)

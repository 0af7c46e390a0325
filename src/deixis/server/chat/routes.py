"""``POST /v1/chat/completions``."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from deixis.server.chat.asking import Asking, wanted
from deixis.server.chat.event_stream import EventStream
from deixis.server.chat.preparing import Opened, hold, opened, submitted
from deixis.server.guards.admission import VISIT
from deixis.server.json_response import JSONReply
from deixis.server.region_schema import ref
from deixis.server.replies import errors
from deixis.server.service import Service
from deixis.serving.asked import Failed, Finished

SUMMARY = "Ask about pictures and regions in them"


def chat_routes(service: Service) -> APIRouter:
    """Return the route that answers questions."""
    routes = APIRouter(tags=["chat"])

    @routes.post(
        "/v1/chat/completions",
        summary=SUMMARY,
        response_model=None,
        responses={
            200: {
                "description": "The reply; with `stream` as server-sent events, each a ChatCompletionChunk.",
                "content": {
                    "application/json": {"schema": ref("ChatCompletion")},
                    "text/event-stream": {"schema": {"description": "Events; the last one is [DONE]."}},
                },
            },
            **errors(400, 404, 408, 413, 415, 429, 503, 504),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref("ChatRequest")}},
            }
        },
    )
    async def chat_completions(request: Request) -> Response:
        arrived = asyncio.get_running_loop().time()
        own = await opened(request, service)
        hold(request.scope[VISIT], own.asked)
        asking = await submitted(own.asked, service, since=arrived)
        if own.streamed:
            return await stream(request, asking, own, stall=service.limits.stall_seconds)
        return await whole(request, asking, own)

    return routes


async def whole(request: Request, asking: Asking, own: Opened) -> JSONReply:
    """Return the reply when it is complete; raises what failed, ClientDisconnect if nobody waits."""
    async with wanted(asking, request.receive) as gone:
        async for event in asking.events():
            if gone.done():
                raise ClientDisconnect
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished):
                return JSONReply(own.reply.completion(event))
    raise AssertionError("a question ends with its last event")


async def stream(request: Request, asking: Asking, own: Opened, *, stall: float) -> EventStream:
    """Return the reply in events; what fails before the first one is raised."""
    events = asking.events()
    async with wanted(asking, request.receive) as gone:
        first = await anext(events)
        if gone.done():
            raise ClientDisconnect
    if isinstance(first, Failed):
        raise first.error
    return EventStream(
        asking,
        events,
        first,
        reply=own.reply,
        pictures=own.asked.pictures,
        told_usage=own.told_usage,
        stall=stall,
    )

"""Where requests come in: each is handed as a whole to the replica for its picture, the answer streamed back.

Ray sends the class to other processes by value, as it is when it is decorated: what it uses stands above it,
and its annotations are no strings.
"""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from deixis.errors import EngineStopped
from deixis.server.refusals import Refusal, error_object, response_of
from deixis.server.replicas.picture_key import key_of

LOG = logging.getLogger("deixis")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Of a scope only what can be sent to another process.
PASSED_ON = (
    "type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path",
    "headers", "client", "server",
)  # fmt: skip
FAILURES = (RayError, RayServeException)
GONE = "the replica that answered has gone; ask again"
SOON = 1.0  # seconds after which another replica may have taken over


async def bounded_body(request: Request, most: int) -> bytes:
    """Return the body of a request; Refusal for a longer one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refusal(413, f"the request has more than {most:,} bytes; make the picture smaller")
    return bytes(body)


async def bodies_of(messages: Any, begin: dict[str, Any]) -> AsyncIterator[bytes]:
    """Yield the parts of an answer's body; a stream of events that breaks off ends with an error among them.

    Another answer that breaks off is cut, which clients notice: it is shorter than its headers say.
    """
    try:
        async for message in messages:
            if message["type"] == "http.response.body":
                yield message.get("body", b"")
    except FAILURES as fault:
        LOG.warning("a replica failed within its answer: %s", fault)
        if not is_event_stream(begin):
            raise
        refusal = Refusal(503, GONE, code=EngineStopped.__name__)
        yield b"data: " + json.dumps(error_object(refusal)).encode() + b"\n\n"
    finally:
        messages.cancel()


def is_event_stream(begin: dict[str, Any]) -> bool:
    """Tell whether an answer is a stream of events."""
    kinds = [bytes(value) for name, value in begin["headers"] if bytes(name).lower() == b"content-type"]
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)


@serve.ingress(app)
class Entrance:
    """Takes requests of up to ``body_bytes``; all else is checked by the application in a replica."""

    def __init__(self, replicas: DeploymentHandle, *, body_bytes: int) -> None:
        self.replicas, self.body_bytes = replicas, body_bytes

    @app.api_route("/{path:path}", methods=list(METHODS), include_in_schema=False)
    async def pass_on(self, request: Request) -> Response:
        """Return what a replica answers, its body as it comes."""
        try:
            body = await bounded_body(request, self.body_bytes)
        except Refusal as refusal:
            return response_of(refusal)
        scope = {name: request.scope[name] for name in PASSED_ON if name in request.scope}
        key = key_of(request.url.path, body)
        messages = self.replicas.options(stream=True).answer.remote(key, scope, body)
        try:
            begin = await anext(messages)
        except FAILURES as fault:
            LOG.warning("a replica failed before its answer: %s", fault)
            return response_of(Refusal(503, GONE, code=EngineStopped.__name__, retry_after=SOON))
        streamed = StreamingResponse(bodies_of(messages, begin), status_code=begin["status"])
        streamed.raw_headers = [(bytes(name), bytes(value)) for name, value in begin["headers"]]
        return streamed

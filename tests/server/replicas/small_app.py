"""A small application in the place of the server's, which says which replica answered."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from deixis.server.replicas.replica import Served


def small_app() -> Served:
    """Echoes, counts pictures it has seen, streams, and dies on demand."""
    app = FastAPI()
    seen: set[str] = set()
    gone: list[int] = []

    @app.post("/v1/chat/completions")
    async def ask(request: Request) -> Response:
        content = await request.json()
        picture = json.dumps(content["messages"])
        known = picture in seen
        seen.add(picture)
        if content.get("stream"):
            return StreamingResponse(counting(request, content["stream"]), media_type="text/event-stream")
        said = {"pid": os.getpid(), "known": known, "host": request.headers.get("host")}
        return Response(json.dumps(said), headers={"X-Own": "kept"}, media_type="application/json")

    async def counting(request: Request, count: int) -> AsyncIterator[bytes]:
        try:
            for number in range(count):
                yield b"data: " + json.dumps({"pid": os.getpid(), "number": number}).encode() + b"\n\n"
                await asyncio.sleep(0.05)
            yield b"data: [DONE]\n\n"
        except asyncio.CancelledError:
            gone.append(1)
            raise

    @app.get("/gone")
    async def left() -> dict[str, int]:
        return {"pid": os.getpid(), "gone": len(gone)}

    return Served(app)

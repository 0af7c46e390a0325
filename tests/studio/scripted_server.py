"""An application that speaks the server's format and answers what a test told it to, as slowly as it said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from deixis.answers.grounded import Answer, Place, Span
from deixis.errors import BadPicture
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box
from deixis.studio.pages import add_pages


@dataclass
class Script:
    """What is answered to every question.

    held: half of the words are written, and the rest when this is no longer so; loaded: the model is; until
    then nothing is answered.
    """

    text: str = "The cup is here."
    phrase: str = "The cup"
    box: tuple[float, float, float, float] = (150.0, 26.0, 443.0, 328.0)
    held: bool = False
    refusal: str = ""
    models: tuple[str, ...] = ("pointer",)
    loaded: bool = True
    pictures: dict[str, Picture] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)


def scripted_app(script: Script) -> FastAPI:
    """Return the application; tests change the script while it runs."""
    app = FastAPI()
    add_pages(app)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        own = {
            "system": "pointer",
            "loaded": script.loaded,
            "bytes": 40_000_000,
            "state": "loaded",
            "default": False,
        }
        return {"data": [{"id": name, "object": "model", "deixis": own} for name in script.models]}

    @app.get("/studio/about")
    async def about() -> dict[str, Any]:
        return {"looks": {name: {"seen": True, "why": None} for name in script.models}}

    @app.post("/v1/pictures")
    async def pictures(request: Request) -> Any:
        try:
            picture = open_picture(await request.body())
        except BadPicture as fault:
            return refused(str(fault))
        digest = picture.frame.content
        script.pictures[digest] = picture
        return {"id": digest, "width": picture.width, "height": picture.height, "digest": digest}

    @app.get("/studio/pictures/{name}")
    async def shown(name: str) -> Response:
        import io

        packed = io.BytesIO()
        script.pictures[name].image().save(packed, "PNG")
        return Response(packed.getvalue(), media_type="image/png")

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Any:
        body = await request.json()
        script.bodies.append(body)
        if script.refusal:
            return refused(script.refusal)
        url = body["messages"][0]["content"][0]["image_url"]["url"]
        answer = answer_of(script, script.pictures[url.removeprefix("picture:")], body["model"])
        return StreamingResponse(written(script, answer), media_type="text/event-stream")

    return app


def refused(message: str) -> JSONResponse:
    """Return an error in the server's shape."""
    return JSONResponse({"error": {"message": message, "type": "bad", "param": None, "code": None}}, 400)


def answer_of(script: Script, picture: Picture, system: str) -> Answer:
    """Return the answer that a script tells of."""
    spans: tuple[Span, ...] = ()
    if script.phrase:
        start = len(script.text[: script.text.index(script.phrase)])
        place = Place(Box(*script.box, frame=picture.frame), 0.9)
        spans = (Span(start, start + len(script.phrase), script.phrase, (place,), nowhere_score=0.01),)
    return Answer(script.text, spans, (picture,), system, 0.1, question="Where is the cup?")


async def written(script: Script, answer: Answer) -> AsyncIterator[str]:
    """Yield an answer word by word as server-sent events."""
    whole = answer.to_dict()
    words = answer.text.split(" ")
    while not script.loaded:
        await asyncio.sleep(0.02)
    for number, word in enumerate(words):
        delta: dict[str, Any] = {"content": word + (" " if number + 1 < len(words) else "")}
        if number == len(words) // 2:
            delta["places"] = whole["spans"]
        yield event(delta)
        while script.held and number == len(words) // 2:
            await asyncio.sleep(0.02)
    yield event({"answer": whole}, finish="stop")
    yield "data: [DONE]\n\n"


def event(delta: dict[str, Any], finish: str | None = None) -> str:
    """Return a chunk of a completion as an event."""
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}]})}\n\n"

"""The studio's own routes, beside the server's: what models can show, exports, conversations."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from deixis.answers.grounded import Answer
from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_of_object
from deixis.regions.frames import PIXELS
from deixis.regions.shapes import Region
from deixis.serving.models import ModelState
from deixis.studio.conversation import check_conversation, fields, listed
from deixis.studio.exports import Answered, exported
from deixis.studio.looking import looked_at, seen
from deixis.systems.contract import System

LARGEST_BODY = 64 << 20  # bytes of what the page sends: answers with masks take the most
MOST_PICTURES, MOST_ANSWERS, MOST_REGIONS = 500, 5_000, 200
LONGEST_NAME = 255


class Shown(Protocol):
    """What the routes need of the server: its pictures and its models."""

    def picture(self, name: str) -> Picture:
        """Return an uploaded picture; an error that becomes a refusal if there is none."""
        ...

    def system(self, model: str) -> System:
        """Return a loaded model's system; an error that becomes a refusal if it isn't loaded."""
        ...

    def models(self) -> list[ModelState]:
        """Return all models."""
        ...


def studio_routes(shown: Shown) -> APIRouter:
    """Return the routes under /studio; what goes wrong is raised as the package's own errors."""
    routes = APIRouter(prefix="/studio")
    one_at_a_time = threading.Lock()  # looking writes an answer once more, beside the engine

    @routes.get("/about")
    async def about() -> dict[str, Any]:
        """Return what each model can show of how it came to an answer."""
        return {"looks": {model.name: {"seen": True, "why": model.looked_at} for model in shown.models()}}

    @routes.get("/pictures/{name}")
    async def upright(name: str) -> Response:
        """Return an uploaded picture as systems see it."""
        return Response(await run_in_threadpool(png_of, shown.picture(name)), media_type="image/png")

    async def look(request: Request, ways: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
        asked = question_of(await body_of(request), shown)

        def work() -> list[dict[str, Any]]:
            with one_at_a_time:
                return ways(*asked)

        return await run_in_threadpool(work)

    @routes.post("/seen")
    async def seen_by(request: Request) -> dict[str, Any]:
        """Return the pictures that a model is given for a question."""
        return {"pictures": await look(request, seen)}

    @routes.post("/why")
    async def why(request: Request) -> dict[str, Any]:
        """Return what a model looked at for the places of its answer."""
        return {"looks": await look(request, looked_at)}

    @routes.post("/export/{form}")
    async def export(form: str, request: Request) -> Response:
        """Return answers in the form of another tool."""
        content = await body_of(request)
        file = await run_in_threadpool(lambda: exported(form, answered(content, shown)))
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return Response(file.content, media_type=file.media_type, headers=headers)

    @routes.post("/conversation")
    async def conversation(request: Request) -> dict[str, Any]:
        """Return a conversation that was saved, if it is one."""
        content = await body_of(request)
        return await run_in_threadpool(check_conversation, content)

    return routes


async def body_of(request: Request) -> Any:
    """Return the JSON of a request; UsageError for anything else, or too much of it."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BODY:
            raise UsageError(f"the request has more than {LARGEST_BODY:,} bytes; send less at once")
    try:
        return json.loads(bytes(content), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise UsageError(f"the request is not JSON: {fault}") from None


def refuse_constant(name: str) -> float:
    """Raise ValueError for NaN and Infinity, which JSON does not know."""
    raise ValueError(f"{name} is not a number")


def question_of(content: Any, shown: Shown) -> tuple[System, Picture, str, Mapping[str, Region]]:
    """Return what a look is asked for: {"model", "picture", "question", "regions"}."""
    own = fields(content, "the request", ("model", "picture", "question", "regions"))
    picture = shown.picture(text(own["picture"], "picture"))
    if not isinstance(own["regions"], dict) or len(own["regions"]) > MOST_REGIONS:
        raise UsageError(f"regions is an object of at most {MOST_REGIONS} regions by name")
    regions = {
        name: region_of_object(value, PIXELS).clipped(picture.frame) for name, value in own["regions"].items()
    }
    return shown.system(text(own["model"], "model")), picture, text(own["question"], "question"), regions


def answered(content: Any, shown: Shown) -> list[Answered]:
    """Return pictures with their answers: {"pictures": [{"id", "name", "answers"}]}."""
    several = listed(
        fields(content, "the request", ("pictures",))["pictures"], "pictures", most=MOST_PICTURES
    )
    found = []
    for number, one in enumerate(several):
        own = fields(one, f"pictures[{number}]", ("id", "name", "answers"))
        picture = shown.picture(text(own["id"], "id"))
        given = listed(own["answers"], f"pictures[{number}].answers", most=MOST_ANSWERS)
        answers = tuple(Answer.from_json(json.dumps(answer), picture) for answer in given)
        found.append(Answered(picture, text(own["name"], "name")[:LONGEST_NAME], answers))
    return found


def text(value: Any, what: str) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise UsageError(f"{what} is a string; got {type(value).__name__}")
    return value


def png_of(picture: Picture) -> bytes:
    """Return a picture's pixels as PNG."""
    packed = io.BytesIO()
    picture.image().save(packed, "PNG", compress_level=1)
    return packed.getvalue()

"""The studio's own routes, beside the server's: what models can show, exports, conversations."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_of_object
from deixis.regions.frames import PIXELS
from deixis.regions.shapes import Region
from deixis.server.bodies import body_of, check_type, json_of
from deixis.server.json_response import JSONReply
from deixis.server.refusals import UnknownPicture
from deixis.server.service import Service
from deixis.studio.conversation import check_conversation, fields, for_the_page, listed
from deixis.studio.dialogue import Dialogue, dialogue_of
from deixis.studio.exports import exported
from deixis.studio.looking import looked_at, seen
from deixis.systems.contract import System
from deixis.systems.questions import MOST_REGIONS

MOST_PICTURES = 500
LONGEST_NAME = 255
GUARDED = {"X-Content-Type-Options": "nosniff"}

Ways = Callable[[System, Picture, str, Mapping[str, Region]], list[dict[str, Any]]]


def studio_routes() -> APIRouter:
    """Return the routes under /studio; what goes wrong is raised as the package's own errors."""
    routes = APIRouter(prefix="/studio", tags=["studio"], include_in_schema=False)
    one_at_a_time = threading.Lock()  # looking writes an answer once more, beside the engine

    @routes.get("/about")
    async def about(request: Request) -> Response:
        """Return what each model can show of how it came to an answer."""
        known = service_of(request).engine.models()
        return JSONReply({"looks": {one.name: {"seen": True, "why": one.looked_at} for one in known}})

    @routes.get("/pictures/{name}")
    async def upright(name: str, request: Request) -> Response:
        """Return an uploaded picture as systems see it."""
        service = service_of(request)
        content = await service.in_thread(lambda: png_of(uploaded(service, name)))
        return Response(content, media_type="image/png", headers=GUARDED)

    async def look(request: Request, ways: Ways) -> list[dict[str, Any]]:
        service, content = service_of(request), await content_of(request)

        def work() -> list[dict[str, Any]]:
            with one_at_a_time:
                return ways(*question_of(content, service))

        return await service.in_thread(work)

    @routes.post("/seen")
    async def seen_by(request: Request) -> Response:
        """Return the pictures that a model is given for a question."""
        return JSONReply({"pictures": await look(request, seen)})

    @routes.post("/why")
    async def why(request: Request) -> Response:
        """Return what a model looked at for the places of its answer."""
        return JSONReply({"looks": await look(request, looked_at)})

    @routes.post("/export/{form}")
    async def export(form: str, request: Request) -> Response:
        """Return answers in the form of another tool."""
        service, content = service_of(request), await content_of(request)
        file = await service.in_thread(lambda: exported(form, dialogues(content, service)))
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"', **GUARDED}
        return Response(file.content, media_type=file.media_type, headers=headers)

    @routes.post("/conversation")
    async def conversation(request: Request) -> Response:
        """Return a conversation that was saved, if it is one, as the page goes on with it."""
        service, content = service_of(request), await content_of(request)
        return JSONReply(await service.in_thread(lambda: for_the_page(check_conversation(content))))

    return routes


def service_of(request: Request) -> Service:
    """Return what the routes of the server share."""
    service: Service = request.app.state.service
    return service


async def content_of(request: Request) -> Any:
    """Return the JSON that a request has, within the server's bounds."""
    check_type(request, ("application/json",))
    return json_of(await body_of(request, service_of(request).limits))


def uploaded(service: Service, name: str) -> Picture:
    """Return an uploaded picture; UnknownPicture if it is not kept."""
    picture = service.uploads.get(name)
    if picture is None:
        raise UnknownPicture(f"picture {name!r:.80} is not kept here (any more); send it again")
    return picture


def question_of(content: Any, service: Service) -> tuple[System, Picture, str, Mapping[str, Region]]:
    """Return what a look is asked for: {"model", "picture", "question", "regions"}."""
    own = fields(content, "the request", ("model", "picture", "question", "regions"))
    picture = uploaded(service, text(own["picture"], "picture"))
    if not isinstance(own["regions"], dict) or len(own["regions"]) > MOST_REGIONS:
        raise UsageError(f"regions is an object of at most {MOST_REGIONS} regions by name")
    regions = {
        name: region_of_object(value, PIXELS).clipped(picture.frame) for name, value in own["regions"].items()
    }
    system = service.engine.system(text(own["model"], "model"))
    return system, picture, text(own["question"], "question"), regions


def dialogues(content: Any, service: Service) -> list[Dialogue]:
    """Return pictures with their dialogues: {"pictures": [{"id", "name", "regions", "turns"}]}."""
    whole = fields(content, "the request", ("pictures",))
    found = []
    for number, one in enumerate(listed(whole["pictures"], "pictures", most=MOST_PICTURES)):
        own = fields(one, f"pictures[{number}]", ("id", "name", "regions", "turns"))
        name = text(own["name"], "name")[:LONGEST_NAME]
        picture = uploaded(service, text(own["id"], "id"))
        found.append(dialogue_of(picture, name, regions=own["regions"], turns=own["turns"]))
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

"""``POST /v1/pictures``: a picture is sent once and asked about often."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from deixis.server.bodies import body_of, check_type
from deixis.server.guards.admission import VISIT
from deixis.server.json_response import JSONReply
from deixis.server.pictures.uploads import memory_of
from deixis.server.refusals import Refusal
from deixis.server.replies import errors, told
from deixis.server.service import Service

TYPES = ("image/*", "application/octet-stream")


class UploadedPicture(BaseModel):
    """A picture that is kept until others need its room. In messages its address is ``picture:ID``."""

    id: str = Field(description="The SHA-256 of its bytes.")
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    digest: str = Field(description="Of its pixels, as answers about it have it.")


def picture_routes(service: Service) -> APIRouter:
    """Return the route that takes pictures."""
    routes = APIRouter(tags=["pictures"])

    @routes.post(
        "/v1/pictures",
        summary="Upload a picture",
        response_model=None,
        responses={
            200: told("The picture is kept.", "UploadedPicture"),
            **errors(400, 408, 413, 415, 429, 503),
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES},
            }
        },
    )
    async def upload(request: Request) -> JSONReply:
        check_type(request, TYPES)
        encoded = await body_of(request, service.limits)
        if not encoded:
            raise Refusal(400, "the body is empty; send the bytes of a picture", code="BadPicture")
        picture = await service.in_thread(lambda: service.opening.opened(encoded, where="the body"))
        request.scope[VISIT].hold(memory_of(picture))
        own = service.uploads.put(encoded, picture)
        return JSONReply(
            {
                "id": own,
                "width": picture.width,
                "height": picture.height,
                "digest": picture.frame.content,
            }
        )

    return routes

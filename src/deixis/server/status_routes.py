"""What a server tells of itself: its models, its health, its metrics."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, Field
from starlette.responses import Response

from deixis.errors import UnknownModel
from deixis.server.json_response import JSONReply
from deixis.server.metrics import CONTENT_TYPE, exposition
from deixis.server.replies import errors, told
from deixis.server.service import Service
from deixis.serving.models import ModelState


class ModelEntry(BaseModel):
    """A model; ``deixis`` says what it is and whether it is loaded."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: Literal["deixis"]
    deixis: dict[str, Any] = Field(
        description="name, system, loaded, bytes, region_kinds, pictures_taken, paints, has_grammar, "
        "created, and how it is now."
    )


class ModelList(BaseModel):
    """All models, loaded or not."""

    object: Literal["list"]
    data: list[ModelEntry]


class Health(BaseModel):
    """ok: questions are answered. closing: the server is about to stop. dead: the engine answers no more."""

    status: Literal["ok", "closing", "dead"]
    reason: str | None = None


def status_routes(service: Service, registry: CollectorRegistry) -> APIRouter:
    """Return the routes that only tell."""
    routes = APIRouter(tags=["status"])

    @routes.get(
        "/v1/models",
        summary="List the models",
        response_model=None,
        responses={200: told("The models.", "ModelList"), **errors()},
    )
    async def models() -> JSONReply:
        return JSONReply({"object": "list", "data": [entry_of(one) for one in service.engine.models()]})

    @routes.get(
        "/v1/models/{model:path}",
        summary="Tell of one model",
        response_model=None,
        responses={200: told("The model.", "ModelEntry"), **errors(404)},
    )
    async def model(model: str) -> JSONReply:
        known = service.engine.models()
        found = [one for one in known if one.name == model]
        if not found:
            raise UnknownModel(
                f"there is no model {model!r:.80}; known models: {', '.join(one.name for one in known)}"
            )
        return JSONReply(entry_of(found[0]))

    @routes.get(
        "/health",
        summary="Tell whether questions are answered",
        response_model=None,
        responses={
            200: told("Questions are answered.", "Health"),
            **{status: said for status, said in errors().items() if status != 401},
            503: told("Questions are not answered.", "Health"),
        },
    )
    async def health() -> JSONReply:
        now = health_of(service)
        return JSONReply(now, status_code=200 if now["status"] == "ok" else 503)

    @routes.get(
        "/metrics",
        summary="Tell Prometheus what was done",
        response_class=Response,
        responses={
            200: {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **errors(),
        },
    )
    async def metrics() -> Response:
        return Response(exposition(registry), headers={"Content-Type": CONTENT_TYPE})

    return routes


def entry_of(state: ModelState) -> dict[str, Any]:
    """Return a model as the protocol lists it."""
    return {
        "id": state.name,
        "object": "model",
        "created": state.created,
        "owned_by": "deixis",
        "deixis": asdict(state),
    }


def health_of(service: Service) -> dict[str, Any]:
    """Return whether questions are answered, and why not."""
    if not service.engine.alive:
        return {"status": "dead", "reason": service.engine.died_of or "the engine is closed"}
    return {"status": "closing" if service.room.closing else "ok", "reason": None}

"""The server's own schema: what FastAPI knows of the routes, and the forms that routes read themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from deixis.server.chat.fields import ChatRequest
from deixis.server.chat.reply_schema import ChatCompletion, ChatCompletionChunk
from deixis.server.guards.keys import Keys
from deixis.server.pictures.routes import UploadedPicture
from deixis.server.region_schema import HERE, answer_components, with_references
from deixis.server.replies import ErrorReply
from deixis.server.status_routes import Health, ModelEntry, ModelList

# What routes name in their schema: requests, replies.
FORMS = (
    ChatRequest,
    ChatCompletion,
    ChatCompletionChunk,
    ErrorReply,
    Health,
    ModelEntry,
    ModelList,
    UploadedPicture,
)


def schema_of(app: FastAPI, *, keys: Keys | None) -> dict[str, Any]:
    """Return the schema (OpenAPI 3.1) of an application."""
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = schema.setdefault("components", {}).setdefault("schemas", {})
    for form in FORMS:
        own = form.model_json_schema(ref_template=HERE + "{model}")
        parts |= own.pop("$defs", {})
        parts[form.__name__] = own
    schema["components"]["schemas"] = dict(sorted((with_references(parts) | answer_components()).items()))
    if keys is not None:
        schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"key": []}]
    return schema

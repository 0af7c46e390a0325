"""The forms of what comes back, as the server's schema states them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from deixis.server.region_schema import ref

SAID = {
    400: "The request can't be answered as it is.",
    401: "A key is missing or wrong.",
    404: "There is no such model or picture.",
    405: "The path has no such method.",
    408: "The body took too long to arrive.",
    413: "The body is too long.",
    415: "The body is of a type that isn't taken.",
    421: "The Host header names another server.",
    429: "The one who asks has too many open requests.",
    500: "The server has a fault of its own.",
    503: "There is no room now (then Retry-After says when to try again), or the engine has stopped.",
    504: "There was no answer in time.",
}
EVERYWHERE = (401, 421, 500)


class ErrorDetail(BaseModel):
    """message: what was given, what was expected, how to mend it. param: the field that is wrong. code: which
    kind of mistake it is."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorReply(BaseModel):
    """What comes back where there is no answer."""

    error: ErrorDetail


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of the errors that it may answer with, beside those of every route."""
    return {status: told(SAID[status], "ErrorReply") for status in sorted({*statuses, *EVERYWHERE})}


def told(description: str, form: str) -> dict[str, Any]:
    """Return what a route says of one response: in words, and of which form it is.

    By name, for FastAPI makes a validator of each form that it is given, and of each place where it is given.
    """
    return {"description": description, "content": {"application/json": {"schema": ref(form)}}}

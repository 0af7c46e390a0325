"""What can go wrong, as HTTP has it: a status for each kind of error, and one shape for all of them.

The shape is OpenAI's: ``{"error": {"message", "type", "param", "code"}}``. ``code`` is the name of our own
exception where there is one, so that clients can raise it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from deixis.errors import (
    BadPicture,
    BadRegion,
    Cancelled,
    DeadlinePassed,
    DeixisError,
    EngineStopped,
    MalformedAnswer,
    ModelFailed,
    QueueFull,
    UnknownModel,
    UsageError,
)
from deixis.server.json_response import JSONReply

# The first class in this order that an error is of counts.
STATUS: tuple[tuple[type[DeixisError], int], ...] = (
    (UnknownModel, 404),
    (UsageError, 400),
    (BadPicture, 400),
    (BadRegion, 400),
    (MalformedAnswer, 400),
    (QueueFull, 503),
    (DeadlinePassed, 504),
    (Cancelled, 503),
    (EngineStopped, 503),
    (ModelFailed, 503),
    (DeixisError, 500),
)
TYPES: Mapping[int, str] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
SOON = 1.0  # seconds after which a model that failed may be asked again: the next question loads it anew
# Names of settings in our messages, and what the protocol calls them.
FIELD_NAMES = (("max_new_tokens", "max_tokens"),)


class Refusal(Exception):
    """A request that is not answered, and the status that says why.

    param: the field of the request that is wrong. retry_after: seconds until it may be worth trying again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param, self.retry_after = status, code, param, retry_after
        self.headers = headers or {}


class InvalidField(UsageError):
    """A field of a request that isn't as the schema has it. param: which one."""

    def __init__(self, message: str, *, param: str | None) -> None:
        super().__init__(message)
        self.param = param


class UnknownPicture(UsageError):
    """An uploaded picture that is not kept (any more)."""


def refusal_of(fault: Exception) -> Refusal:
    """Return how an error is told to whoever asked."""
    if isinstance(fault, Refusal):
        return fault
    if isinstance(fault, DeixisError):
        after = fault.retry_after if isinstance(fault, QueueFull) else None
        return Refusal(
            404 if isinstance(fault, UnknownPicture) else status_of(fault),
            in_fields(str(fault)),
            code="UsageError" if isinstance(fault, InvalidField | UnknownPicture) else type(fault).__name__,
            param=getattr(fault, "param", None),
            retry_after=SOON if isinstance(fault, ModelFailed) else after,
        )
    return Refusal(500, "the server has a fault of its own; its log says more", code="internal_error")


def status_of(fault: DeixisError) -> int:
    """Return the status of an error of ours.

    >>> status_of(BadRegion("box (1, 2)"))
    400
    """
    return next(status for kind, status in STATUS if isinstance(fault, kind))


def in_fields(message: str) -> str:
    """Return a message with the protocol's names of settings."""
    for ours, theirs in FIELD_NAMES:
        message = message.replace(ours, theirs)
    return message


def error_object(refusal: Refusal) -> dict[str, Any]:
    """Return an error in OpenAI's shape.

    >>> error_object(Refusal(404, "there is no such path", code="not_found"))["error"]["type"]
    'invalid_request_error'
    """
    kind = TYPES.get(refusal.status, "server_error" if refusal.status >= 500 else "invalid_request_error")
    return {
        "error": {
            "message": str(refusal),
            "type": kind,
            "param": refusal.param,
            "code": refusal.code or HTTPStatus(refusal.status).phrase.lower().replace(" ", "_"),
        }
    }


def response_of(fault: Exception) -> JSONReply:
    """Return the response that tells of an error."""
    refusal = refusal_of(fault)
    headers = dict(refusal.headers)
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(ceil(refusal.retry_after), 1))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONReply(error_object(refusal), status_code=refusal.status, headers=headers)

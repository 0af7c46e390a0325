"""Bodies of requests: of the type that a route takes, within bounds, in time; and JSON without surprises."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from deixis.server.guards.admission import VISIT, Visit
from deixis.server.guards.headers import header
from deixis.server.limits import ServerLimits
from deixis.server.refusals import Refusal

BOM = b"\xef\xbb\xbf"
CLOSE = {"Connection": "close"}
LINGER = (
    3  # times the longest body that are taken and dropped of one too long: else its sender hears no reply
)


def check_type(request: Request, types: Sequence[str]) -> None:
    """Raise Refusal unless a body is of one of these media types, "image/*" among them, as it came.

    A page of another origin can have a browser send text or forms here unasked, but nothing of these types.
    """
    given = header(request.scope, "content-type") or ""
    media = given.partition(";")[0].strip().lower()
    if not any(media == kind or (kind.endswith("/*") and media.startswith(kind[:-1])) for kind in types):
        raise Refusal(
            415,
            f"the body's Content-Type is {media[:100] or 'missing'!r}; expected {' or '.join(types)}",
            code="unsupported_media_type",
        )
    encoding = header(request.scope, "content-encoding")
    if encoding not in (None, "identity"):
        raise Refusal(
            415,
            f"the body's Content-Encoding is {encoding!r:.40}; expected a body that isn't encoded",
            code="unsupported_media_type",
        )


async def body_of(request: Request, limits: ServerLimits) -> bytes:
    """Return the body of a request; Refusal for one that is too long, or too slow."""
    visit: Visit = request.scope[VISIT]
    stated = header(request.scope, "content-length") or ""
    left = limits.body_bytes
    if stated.isascii() and stated.isdigit() and int(stated[:20]) > left:
        left = 0
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(limits.upload_seconds):
            async for chunk in request.stream():
                left -= len(chunk)
                if left >= 0:
                    visit.hold(len(chunk))
                    chunks.append(chunk)
                elif left < -LINGER * limits.body_bytes:
                    break
    except TimeoutError:
        raise Refusal(
            408,
            f"the body did not arrive within {limits.upload_seconds:g} s",
            code="request_timeout",
            headers=CLOSE,
        ) from None
    if left < 0:
        raise too_long(limits)
    return b"".join(chunks)


def too_long(limits: ServerLimits) -> Refusal:
    """Return why a long body isn't read."""
    return Refusal(
        413,
        f"the body is longer than {limits.body_bytes:,} bytes; send smaller pictures, or upload them first "
        "(POST /v1/pictures)",
        code="content_too_large",
        headers=CLOSE,
    )


def json_of(body: bytes) -> Any:
    """Return what JSON says; Refusal for what isn't JSON, is very deep, or has NaN or endless numbers."""
    try:
        return from_json(body.removeprefix(BOM), allow_inf_nan=False)
    except ValueError as fault:
        raise Refusal(400, f"the body is not usable as JSON: {fault}", code="invalid_json") from None

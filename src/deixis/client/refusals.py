"""What a server's refusal is here: the kind of error, and exit code, that asking without one would give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deixis.endpoints.keys import HIDDEN, SHORTEST_PART, repeats
from deixis.errors import (
    BadPicture,
    BadRegion,
    BadWeights,
    DeadlinePassed,
    DeixisError,
    EndpointError,
    FrameMismatch,
    MalformedAnswer,
    MissingWeights,
    ModelFailed,
    RefusedRequest,
    TooLarge,
    UnknownModel,
    UsageError,
)

# The names of settings (``engine.settings.Settings``) that have others in the protocol.
OTHER_NAMES: Mapping[str, str] = MappingProxyType({"max_new_tokens": "max_tokens"})
LARGEST_REFUSAL = 1 << 16  # bytes that are read of one
LONGEST_SAID = 1500  # characters that are shown of one

# What a server calls its errors, in ``code`` or ``type``.
KINDS: Mapping[str, type[DeixisError]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            BadPicture, BadRegion, BadWeights, DeadlinePassed, EndpointError, FrameMismatch, MalformedAnswer,
            MissingWeights, ModelFailed, TooLarge, UnknownModel, UsageError,
        )
    }
)  # fmt: skip


class Busy(Exception):
    """The server wants to be asked later. after: the seconds that it says, None if it doesn't."""

    def __init__(self, why: str, *, after: float | None) -> None:
        super().__init__(why)
        self.after = after


def refusal(
    status: int, body: bytes, *, address: str, key: str | None, after: float | None = None, sent: int = 0
) -> Exception:
    """Return the error for a status that is not success; Busy where the same request may succeed later.

    after: what its Retry-After says, in seconds. sent: bytes of the request.
    """
    error = error_in(body)
    said = hides(words_of(error) or body.decode("utf-8", errors="replace"), key)
    said = said or f"status {status}"
    if status == 429 or (status == 503 and after is not None):
        return Busy(said, after=after)
    if 300 <= status < 400:
        return UsageError(
            f"{address} sends us elsewhere (status {status}), where a key never goes: give the final address"
        )
    if status in (401, 403):
        lacking = (
            "wants a key; give its file: --api-key-file FILE"
            if key is None
            else "refuses the key that was given"
        )
        return UsageError(f"{address} {lacking} ({said})")
    if kind := kind_of(error):
        return kind(said)
    if status == 413:
        return BadPicture(f"{address} takes no request of {sent:,} bytes ({said}); make the picture smaller")
    if status == 404:
        return UsageError(f"{address} knows no such thing ({said}); is it the address of a deixis server?")
    if status == 503:
        return EndpointError(f"{address} has stopped answering ({said}); it has to be started again")
    if status >= 500:
        return EndpointError(f"{address} failed with status {status}: {said}")
    return RefusedRequest(f"{address} does not accept the request: {said}")


def refusal_of(error: Any, *, key: str | None) -> DeixisError:
    """Return the error that came in the middle of an answer."""
    said = hides(words_of(error), key) or "the server does not say why"
    return (kind_of(error) or EndpointError)(said)


def error_in(body: bytes) -> Any:
    """Return the object that says what is wrong, None where a body has none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content.get("error") if isinstance(content, dict) else None


def words_of(error: Any) -> str:
    """Return what an error says in words, empty where it has none."""
    said = error.get("message") if isinstance(error, dict) else error
    if not isinstance(said, str):
        return ""
    for ours, theirs in OTHER_NAMES.items():
        said = said.replace(theirs, ours)
    return said


def kind_of(error: Any) -> type[DeixisError] | None:
    """Return the class of ours that an error says it is."""
    names = [error.get(name) for name in ("code", "type")] if isinstance(error, dict) else []
    return next((KINDS[name] for name in names if isinstance(name, str) and name in KINDS), None)


def hides(text: str, key: str | None) -> str:
    """Return what a server says on one line, in printable letters; a remark instead if it repeats the key."""
    if key is not None and repeats(text, key, at_least=SHORTEST_PART):
        return HIDDEN
    shown = " ".join(text[:LONGEST_SAID].split())
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in shown)

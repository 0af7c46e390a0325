"""How an answer is to be decoded, from the fields of a request."""

from __future__ import annotations

from typing import Any

from deixis.engine.settings import Settings
from deixis.server.chat.fields import ChatRequest
from deixis.server.limits import ServerLimits
from deixis.server.refusals import InvalidField

# Fields of a request that are settings of the same name.
SAME = ("temperature", "top_p", "seed", "logprobs", "max_places", "grammar")


def settings_of(request: ChatRequest, limits: ServerLimits) -> Settings:
    """Return the settings of an answer; InvalidField for a longer one than the server gives."""
    given: dict[str, Any] = {name: getattr(request, name) for name in SAME}
    if request.stop is not None:
        given["stop"] = (request.stop,) if isinstance(request.stop, str) else tuple(request.stop)
    own, new = request.max_tokens, request.max_completion_tokens
    if own is not None and new is not None and own != new:
        raise InvalidField(
            f"max_tokens is {own} and max_completion_tokens {new}; they mean the same, give one of them",
            param="max_tokens",
        )
    longest = new if own is None else own
    if longest is not None and longest > limits.tokens:
        raise InvalidField(
            f"an answer of {longest} tokens is asked for; this server gives at most {limits.tokens}",
            param="max_tokens" if new is None else "max_completion_tokens",
        )
    given["max_new_tokens"] = min(Settings().max_new_tokens, limits.tokens) if longest is None else longest
    return Settings(**{name: value for name, value in given.items() if value is not None})

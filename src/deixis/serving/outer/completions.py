"""vLLM's route ``/v1/completions`` with ``prompt_embeds``: what is sent, and what its stream says.

The server must be started with ``--enable-prompt-embeds`` and have the same language model, with the same
vocabulary. Tokens are read by their ids, not their text, so that tokenizers need not agree.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deixis.engine.policy import Request
from deixis.errors import EndpointError

ROUTE = "/v1/completions"


@dataclass(frozen=True)
class Written:
    """Tokens that came, with the log-probability of each; finish: why no more come, None if they do."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish: str | None = None


def encoded_vectors(vectors: Tensor) -> str:
    """Return vectors (L, D) as the route takes them: torch.save'd, in base64."""
    packed = io.BytesIO()
    torch.save(vectors.detach().cpu().contiguous().clone(), packed)  # a view would carry its whole storage
    return base64.b64encode(packed.getvalue()).decode("ascii")


def completion_request(request: Request, *, model: str, ends: Iterable[int]) -> dict[str, Any]:
    """Return the body of a streamed request. ends: tokens that end an answer.

    Texts to stop at and the number of places are minded here, while the tokens are read.
    """
    settings = request.settings
    body: dict[str, Any] = {
        "model": model,
        "prompt_embeds": encoded_vectors(request.embedded.vectors),
        "max_tokens": settings.max_new_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "stop_token_ids": sorted(ends),
        "logprobs": 1,
        "return_token_ids": True,
    }
    return body if settings.seed is None else body | {"seed": settings.seed}


def written_in(events: Iterable[Any]) -> Iterator[Written]:
    """Yield what each event of a stream brings; EndpointError for one without tokens or likelihoods."""
    for event in events:
        choices = event.get("choices") if isinstance(event, dict) else None
        if not choices:  # a last event may count tokens only
            continue
        yield written_of(choices[0])


def written_of(choice: Any) -> Written:
    """Return what one event says of the only choice."""
    try:
        ids = choice["token_ids"] or []
        logprobs = (choice["logprobs"] or {"token_logprobs": []})["token_logprobs"]
        finish = choice.get("finish_reason")
    except (KeyError, TypeError, AttributeError):
        raise EndpointError(
            "the outer engine says no token_ids or logprobs; it has to be a vLLM server that knows "
            "return_token_ids (0.10.2 or later)"
        ) from None
    sound = (
        isinstance(ids, list)
        and all(type(one) is int and one >= 0 for one in ids)
        and isinstance(logprobs, list)
        and len(logprobs) == len(ids)
        and all(isinstance(one, int | float) and math.isfinite(one) for one in logprobs)
    )
    if not sound:
        raise EndpointError(f"the outer engine's tokens and log-probabilities don't fit: {choice!r:.200}")
    return Written(tuple(ids), tuple(map(float, logprobs)), finish if isinstance(finish, str) else None)

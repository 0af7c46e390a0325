"""Server-sent events of a streamed answer, read strictly: a stream that breaks off is an error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from deixis.client.refusals import refusal_of
from deixis.errors import EndpointError

END = b"[DONE]"


def events_in(lines: Iterable[bytes], *, key: str | None = None) -> Iterator[Any]:
    """Yield what the "data:" lines of a stream hold, up to the line that ends it.

    key: what is not to be shown of what they say. EndpointError: an event that is not JSON, or no end. An
    event that says what went wrong is raised.

    >>> list(events_in([b'data: {"a": 1}', b"", b": a comment", b"data: [DONE]"]))
    [{'a': 1}]
    """
    for line in lines:
        field, _, data = line.strip().partition(b":")
        if field != b"data":
            continue
        if data.strip() == END:
            return
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            raise EndpointError("the server streams something else than JSON; ask again") from None
        if isinstance(content, dict) and "error" in content:
            raise refusal_of(content["error"], key=key)
        yield content
    raise EndpointError("the answer broke off before its end: the server has gone, or gave it up; ask again")

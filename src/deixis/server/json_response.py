"""JSON as it leaves the server: in ASCII, and nothing that isn't JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


def as_json(content: Any) -> bytes:
    """Return plain values as JSON; half characters, which are no UTF-8, are escaped like all others.

    >>> as_json({"text": "\\ud83d é"})
    b'{"text": "\\\\ud83d \\\\u00e9"}'
    """
    return json.dumps(content, allow_nan=False).encode("ascii")


class JSONReply(Response):
    """A response that holds JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return as_json(content)

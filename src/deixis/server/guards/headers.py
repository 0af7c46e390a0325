"""Headers of a request as ASGI has them."""

from __future__ import annotations

from starlette.types import Scope


def header(scope: Scope, name: str) -> str | None:
    """Return a header of a request; None unless it is there exactly once.

    >>> header({"headers": [(b"host", b"localhost:8000")]}, "host")
    'localhost:8000'
    """
    found = [value for own, value in scope["headers"] if own == name.encode("ascii")]
    return found[0].decode("latin-1") if len(found) == 1 else None

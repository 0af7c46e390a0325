"""Who asks: the owner of a key where there are keys, else the address that a request came from."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from deixis.server.guards.headers import header
from deixis.server.guards.keys import Keys
from deixis.server.refusals import Refusal, response_of

WHO = "deixis.who"  # in a request's scope: by what name the one who asks is told from others


class KeyCheck:
    """Refuses requests without a known key, except for paths that begin with one of ``open_paths``.

    keys: None asks for none.
    """

    def __init__(self, app: ASGIApp, *, keys: Keys | None, open_paths: Collection[str]) -> None:
        self.app, self.keys, self.open_paths = app, keys, tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[WHO] = scope["client"][0] if scope.get("client") else "somebody"
        if self.keys is not None and not self.is_open(scope["path"]):
            given = bearer(header(scope, "authorization"))
            owner = None if given is None else self.keys.owner(given)
            if owner is None:
                await response_of(unauthorised(given))(scope, receive, send)
                return
            scope[WHO] = owner
        await self.app(scope, receive, send)

    def is_open(self, path: str) -> bool:
        """Tell whether a path needs no key: an open one, or one below an open one that ends in a slash."""
        return any(path == own or (own.endswith("/") and path.startswith(own)) for own in self.open_paths)


def bearer(value: str | None) -> str | None:
    """Return the key of an Authorization header; None where it has none.

    >>> bearer("bearer abc"), bearer("Basic abc")
    ('abc', None)
    """
    scheme, _, key = (value or "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def unauthorised(given: str | None) -> Refusal:
    """Return why a request is not let in."""
    if given is None:
        said = "this server asks for a key; send it as the header Authorization: Bearer KEY"
    else:
        said = "the key that was sent is not one of this server's"
    return Refusal(401, said, code="invalid_api_key")

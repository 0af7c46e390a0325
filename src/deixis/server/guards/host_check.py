"""The name by which a server is asked: a page that gets its own name to lead here is turned away.

A browser that was told that ``evil.example`` is 127.0.0.1 (DNS rebinding) lets that page read our answers,
for it takes them as its own. It still sends the name it asked for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from deixis.server.guards.headers import header
from deixis.server.refusals import Refusal, response_of

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class HostCheck:
    """Refuses requests whose Host header names none of ``hosts``; None lets all through."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] | None) -> None:
        self.app = app
        self.hosts = None if hosts is None else frozenset(map(plain, hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or self.hosts is None or named(header(scope, "host")) in self.hosts:
            await self.app(scope, receive, send)
            return
        refusal = Refusal(
            421,
            f"this server is known as {', '.join(sorted(self.hosts))}; the request's Host header names "
            "something else. Ask for it by one of these names (deixis serve --server-name allows more)",
            code="unknown_host",
        )
        await response_of(refusal)(scope, receive, send)


def named(value: str | None) -> str:
    """Return the host of a Host header, without its port; empty where there is none.

    >>> named("LocalHost.:8000"), named("[::1]:8000"), named(None)
    ('localhost', '::1', '')
    """
    if value is None:
        return ""
    if value.startswith("["):
        inside, closed, port = value[1:].partition("]")
        return plain(inside) if closed and (not port or port.startswith(":")) else ""
    return plain(value.partition(":")[0])


def plain(host: str) -> str:
    """Return a host's name as it is compared: in lower case, an address in its shortest form.

    >>> plain("0:0:0:0:0:0:0:1"), plain("Example.ORG.")
    ('::1', 'example.org')
    """
    name = host.strip().lower().removesuffix(".").removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name

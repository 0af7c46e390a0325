"""Pictures from hosts that somebody has allowed, fetched so that nobody is led elsewhere.

What a name leads to is looked up once, judged, and connected to; so no second answer can take its place.
Addresses of one's own network are refused, redirects to other hosts are not followed, no proxy is asked, and
time and bytes are bounded.
"""

from __future__ import annotations

import http.client
import ipaddress
import time
import urllib.error
import urllib.request
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from deixis.endpoints.timed_connection import TimedConnection, TimedTLSConnection
from deixis.errors import BadPicture
from deixis.server.pictures.allowed import AllowedSources

MOST_REDIRECTS = 3
CHUNK = 1 << 16
PORTS = {"http": 80, "https": 443}
LONGEST_SHOWN = 100


class Forbidden(OSError):
    """An address that must not be connected to."""


def fetched(url: str, allowed: AllowedSources, *, where: str, most: int, seconds: float) -> bytes:
    """Return the bytes at an http or https address.

    where: what the address is called in messages. BadPicture: the host isn't allowed, doesn't answer in time
    or with success, or sends more than ``most`` bytes.
    """
    check(url, allowed, where=where)
    until = time.monotonic() + seconds
    request = urllib.request.Request(url, headers={"Accept": "image/*", "User-Agent": "deixis"})
    try:
        with opener(allowed, until).open(request) as reply:
            data = read(reply, most)
    except urllib.error.HTTPError as fault:
        fault.close()
        raise BadPicture(f"{where} can't be fetched: its host answers with status {fault.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        reason = getattr(fault, "reason", fault)
        said = f"not within {seconds:g} s" if isinstance(reason, TimeoutError) else said_of(reason)
        raise BadPicture(f"{where} can't be fetched: {said}") from None
    if data is None:
        raise BadPicture(f"{where} leads to more than {most:,} bytes; expected a smaller picture")
    return data


def said_of(reason: object) -> str:
    """Return what may be told of why nothing came: nothing of networks that aren't everybody's."""
    return str(reason) if isinstance(reason, Forbidden) else "its host doesn't answer as it should"


def check(url: str, allowed: AllowedSources, *, where: str) -> None:
    """Raise BadPicture unless pictures may be fetched from an address."""
    parts = address_of(url)
    if parts is None:
        raise BadPicture(
            f"{where} is no address of http or https; expected one such as https://example.org/a.jpg"
        )
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    if not allowed.allows(host, port):
        raise BadPicture(
            f"{where} leads to {host[:LONGEST_SHOWN]!r}, port {port}, which this server may not fetch from "
            "(deixis serve --allow-host); send the picture as a data URL, or upload it (POST /v1/pictures)"
        )


def address_of(url: str) -> SplitResult | None:
    """Return the parts of an http or https address; None for anything else, and for one with a password."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.port != 0 and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if usable and parts.scheme in PORTS else None


def read(reply: http.client.HTTPResponse, most: int) -> bytes | None:
    """Return what a host sends; None if it is more than ``most`` bytes."""
    chunks, count = [], 0
    while chunk := reply.read1(CHUNK):
        count += len(chunk)
        if count > most:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def judged(address: str) -> None:
    """Raise Forbidden for an address of IP that isn't one of the whole internet."""
    own = ipaddress.ip_address(address.partition("%")[0])
    inner = own
    if isinstance(own, ipaddress.IPv6Address):
        inner = own.ipv4_mapped or own.sixtofour or (own.teredo[1] if own.teredo else own)
    for one in (own, inner):
        if not one.is_global or one.is_multicast or one.is_reserved or one.is_unspecified:
            raise Forbidden("its host has an address that is not one of the public internet")
    if own in ipaddress.ip_network("64:ff9b::/96"):  # an IPv4 address behind a translator
        judged(str(ipaddress.IPv4Address(int(own) & 0xFFFFFFFF)))


class JudgedConnection(TimedConnection):
    """A connection to an address that was judged; all that a host has must pass."""

    def __init__(self, *values: Any, private: bool, **named: Any) -> None:
        super().__init__(*values, **named)
        self.private = private

    def places(self, address: tuple[str, int]) -> list[Any]:
        """Return what a host's name leads to; Forbidden if any of it must not be connected to."""
        places = super().places(address)
        if not self.private:
            for *_, place in places:
                judged(str(place[0]))
        return places


class JudgedTLSConnection(JudgedConnection, TimedTLSConnection):
    """The same over TLS."""


class JudgedHTTP(urllib.request.HTTPHandler):
    """Opens judged connections."""

    def __init__(self, *, private: bool, until: float) -> None:
        super().__init__()
        self.kind = partial(JudgedConnection, private=private, until=until)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request."""
        return self.do_open(self.kind, req)


class JudgedHTTPS(urllib.request.HTTPSHandler):
    """Opens judged connections over TLS."""

    def __init__(self, *, private: bool, until: float) -> None:
        super().__init__()
        self.kind = partial(JudgedTLSConnection, private=private, until=until)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request."""
        return self.do_open(self.kind, req)


class SameHost(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the host that was asked, a few of them."""

    max_redirections = MOST_REDIRECTS

    def __init__(self, allowed: AllowedSources) -> None:
        self.allowed = allowed

    def redirect_request(self, req: urllib.request.Request, *given: Any) -> urllib.request.Request | None:
        """Return the request that a redirect leads to; None, which makes it an error, for another host."""
        given[0].close()  # what a redirect says is not read, however much it is
        now, then = urlsplit(req.full_url), address_of(given[-1])
        if then is None or then.hostname != now.hostname:
            return None
        if not self.allowed.allows(then.hostname or "", then.port or PORTS[then.scheme]):
            return None
        if now.scheme == "https" and then.scheme != "https":
            return None
        return super().redirect_request(req, *given)


def opener(allowed: AllowedSources, until: float) -> urllib.request.OpenerDirector:
    """Return what opens addresses of http and https and of nothing else."""
    own = urllib.request.OpenerDirector()
    for handler in (
        JudgedHTTP(private=allowed.private, until=until),
        JudgedHTTPS(private=allowed.private, until=until),
        SameHost(allowed),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        own.add_handler(handler)
    return own

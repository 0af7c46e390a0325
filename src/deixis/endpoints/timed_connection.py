"""HTTP connections that end at a given moment, whatever the server does: no header, no "100 Continue" and no
byte of the body is waited for beyond it.

A socket's own timeout begins anew with every byte, so that a server which sends one now and then is read for
ever. Here what is left of the time is set before each step.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from functools import partial
from typing import Any


def opener_until(until: float) -> urllib.request.OpenerDirector:
    """Return an opener whose connections end at ``until``, a time of ``time.monotonic``.

    It follows no redirect, because the key would go with it, and uses the proxies of the environment.
    """
    return urllib.request.build_opener(TimedHTTP(until), TimedHTTPS(until), NoRedirects)


def left_until(until: float) -> float:
    """Return the seconds that are left; TimeoutError if there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is up")
    return left


class TimedReader(io.RawIOBase):
    """What a socket receives until a given moment."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self.sock, self.until = sock, until
        self.received = sock.makefile("rb", buffering=0)  # keeps the socket open for as long as it is read

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read what has come; TimeoutError when the time is up."""
        self.sock.settimeout(left_until(self.until))
        return self.received.readinto(buffer) or 0

    def close(self) -> None:
        """Let go of the socket."""
        self.received.close()
        super().close()


class TimedSocket:
    """The part of a socket that ``http.client.HTTPResponse`` uses."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self.sock, self.until = sock, until

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the file that an answer is read from."""
        return io.BufferedReader(TimedReader(self.sock, self.until))


def timed_response(sock: socket.socket, *values: Any, until: float, **named: Any) -> http.client.HTTPResponse:
    """Return the answer that comes over a socket until a given moment."""
    return http.client.HTTPResponse(TimedSocket(sock, until), *values, **named)  # type: ignore[arg-type]


class TimedConnection(http.client.HTTPConnection):
    """A connection that is made, written to and read from until a given moment."""

    def __init__(self, *values: Any, until: float, **named: Any) -> None:
        super().__init__(*values, **named)
        self.until = until
        self.response_class = partial(timed_response, until=until)  # type: ignore[assignment]
        self._create_connection = self.reach  # a host may have several addresses, each with a timeout

    def places(self, address: tuple[str, int]) -> list[Any]:
        """Return what a host's name leads to, as ``socket.getaddrinfo`` does."""
        return socket.getaddrinfo(*address, type=socket.SOCK_STREAM)

    def reach(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """Return a socket that is connected to the first address of a host which answers."""
        fault: OSError = OSError(f"{address[0]} has no address")
        for *kind, _name, place in self.places(address):
            sock = socket.socket(*kind)
            try:
                sock.settimeout(left_until(self.until))
                sock.connect(place)
                sock.settimeout(left_until(self.until))  # for the handshake of TLS
            except OSError as own:
                sock.close()
                fault = own
            else:
                return sock
        raise fault

    def send(self, data: Any) -> None:
        """Send some bytes."""
        if self.sock is not None:
            self.sock.settimeout(left_until(self.until))
        super().send(data)


class TimedTLSConnection(TimedConnection, http.client.HTTPSConnection):
    """The same over TLS."""


class TimedHTTP(urllib.request.HTTPHandler):
    """Opens timed connections."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.until = until

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request."""
        return self.do_open(partial(TimedConnection, until=self.until), req)


class TimedHTTPS(urllib.request.HTTPSHandler):
    """Opens timed connections over TLS."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.until = until

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a request."""
        return self.do_open(partial(TimedTLSConnection, until=self.until), req)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: Any) -> None:
        """Return None: the redirect becomes an error."""

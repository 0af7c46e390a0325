"""A server as its client sees it: bounded requests, waiting where it is busy, refusals as our own errors."""

from __future__ import annotations

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from deixis.client.events import events_in
from deixis.client.refusals import LARGEST_REFUSAL, Busy, hides, refusal
from deixis.endpoints.bounds import LONGEST_TIME, MOST_ATTEMPTS, MOST_BYTES, check_address, check_number
from deixis.endpoints.endpoint import seconds
from deixis.endpoints.keys import quoted
from deixis.endpoints.timed_connection import NoRedirects, TimedHTTP, TimedHTTPS
from deixis.errors import EndpointError

LOG = logging.getLogger("deixis")
CHUNK = 1 << 16
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """The server at ``address``, with or without /v1 at its end.

    key: what is sent as the bearer's token; None sends none. timeout: seconds for one attempt, from the
    connection to the last byte. attempts: how often a request is made at most, where the server says that it
    is busy; between them it waits for what the server asks for, at most ``longest_wait`` seconds, or 1, 2,
    4, … where it doesn't say. largest_reply: bytes; a longer one is an error. program: what starts such a
    server, for messages. UsageError: an address, key or number that can't be used.
    """

    address: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 300.0
    attempts: int = 6
    longest_wait: float = 30.0
    largest_reply: int = 64 << 20
    program: str = "deixis serve"
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_address(self.address)
        object.__setattr__(self, "address", self.address.rstrip("/").removesuffix("/v1").rstrip("/"))
        check_number("timeout", self.timeout, least=1e-3, most=LONGEST_TIME)
        check_number("attempts", self.attempts, least=1, most=MOST_ATTEMPTS, whole=True)
        check_number("longest_wait", self.longest_wait, least=0, most=LONGEST_TIME)
        check_number("largest_reply", self.largest_reply, least=1, most=MOST_BYTES, whole=True)

    def get(self, path: str) -> Any:
        """Return the JSON at a path, such as "/v1/models"; errors as of ``post``."""
        return self._json(self._asked(path, None))

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON that comes back for some.

        EndpointError: no server, no usable answer, or it is still busy after all attempts. RefusedRequest and
        the other errors of ``refusals``: what the server says is wrong with the request.
        """
        return self._json(self._asked(path, json.dumps(content).encode()))

    def stream(self, path: str, content: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the events that come back for some JSON, each as soon as it is there; errors as of ``post``.

        EndpointError: the stream broke off before its end. Leaving it half read cancels the answer.
        """
        body = json.dumps({**content, "stream": True}).encode()
        with self._asked(path, body) as reply, self._reading():
            yield from events_in(self._lines(reply), key=self.key)

    def _json(self, reply: http.client.HTTPResponse) -> Any:
        with reply, self._reading():
            body = b"".join(self._chunks(reply))
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            said = quoted(body[:2000].decode("utf-8", errors="replace"), self.key)
            raise EndpointError(
                f"{self.address} answers with something else than JSON: {said!r}; is it the address of a "
                "deixis server?"
            ) from None

    def _asked(self, path: str, body: bytes | None) -> http.client.HTTPResponse:
        """Return the answer to a request, still to be read, after waiting where the server is busy."""
        for attempt in range(1, self.attempts + 1):
            try:
                return self._once(path, body)
            except Busy as fault:
                if attempt == self.attempts:
                    raise EndpointError(
                        f"{self.address} is still busy after {attempt} attempts: {fault}; try again later"
                    ) from None
                wait = min(2.0 ** (attempt - 1) if fault.after is None else fault.after, self.longest_wait)
                LOG.warning("%s is busy; asking again in %.3g s", self.address, wait)
            self.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, path: str, body: bytes | None) -> http.client.HTTPResponse:
        request = urllib.request.Request(
            self.address + path,
            data=body,
            headers={} if body is None else {"Content-Type": "application/json"},
        )
        if self.key is not None:
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        try:
            with self._reading():
                reply: http.client.HTTPResponse = self._opener().open(request, timeout=self.timeout)
        except urllib.error.HTTPError as fault:
            with fault:
                raise self._refused(fault, len(body or b"")) from None
        return reply

    def _opener(self) -> urllib.request.OpenerDirector:
        """Return what opens a request within the time; no proxy stands between this machine and itself."""
        until = time.monotonic() + self.timeout
        own = [urllib.request.ProxyHandler({})] if urlsplit(self.address).hostname in LOOPBACK else []
        return urllib.request.build_opener(*own, TimedHTTP(until), TimedHTTPS(until), NoRedirects)

    def _refused(self, fault: urllib.error.HTTPError, sent: int) -> Exception:
        try:
            body = fault.read(LARGEST_REFUSAL)
        except (OSError, http.client.HTTPException, ValueError):
            body = b""
        after = seconds(fault.headers.get("Retry-After"))
        return refusal(fault.code, body, address=self.address, key=self.key, after=after, sent=sent)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say as EndpointError what goes wrong with the connection."""
        try:
            yield
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as fault:
            reason = getattr(fault, "reason", fault)
            if isinstance(reason, TimeoutError):
                raise EndpointError(
                    f"{self.address} did not answer in {self.timeout:g} s; is it overloaded?"
                ) from None
            if isinstance(reason, ConnectionRefusedError) or isinstance(fault, urllib.error.URLError):
                raise EndpointError(
                    f"there is no server at {self.address}: {hides(str(reason), self.key)}; start one with "
                    f"{self.program}, or check the address"
                ) from None
            raise EndpointError(
                f"the connection to {self.address} broke off before the answer was complete "
                f"({type(reason).__name__}: {hides(str(reason), self.key)}); ask again"
            ) from None

    def _chunks(self, reply: http.client.HTTPResponse) -> Iterator[bytes]:
        """Yield the bytes of an answer; EndpointError for too many, IncompleteRead for too few."""
        count = 0
        while chunk := reply.read1(CHUNK):
            count += len(chunk)
            if count > self.largest_reply:
                raise EndpointError(f"{self.address} answers with more than {self.largest_reply:,} bytes")
            yield chunk
        if reply.length:
            raise http.client.IncompleteRead(b"", reply.length)

    def _lines(self, reply: http.client.HTTPResponse) -> Iterator[bytes]:
        """Yield the lines of an answer, each as soon as it is complete."""
        rest = b""
        for chunk in self._chunks(reply):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines

"""A client of endpoints that speak OpenAI's chat protocol: judges, teachers, servers of one's own.

It needs nothing but the standard library. Every wait and every answer is bounded, and no part of the key
appears in a message (``keys``).
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deixis.endpoints.bounds import (
    LONGEST_TIME,
    MOST_ATTEMPTS,
    MOST_BYTES,
    check_address,
    check_number,
)
from deixis.endpoints.chat import ChatRequest, Reply, read_json, reply_of
from deixis.endpoints.keys import MOST_SHOWN, holds_key, key_for, quoted
from deixis.endpoints.pace import Pace
from deixis.endpoints.timed_connection import opener_until
from deixis.errors import EndpointError, RefusedRequest, UsageError

CHUNK = 1 << 16
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})  # what may pass if asked again
TOO_MANY = 429
HOPELESS = {
    401: "the key was not accepted; check it",
    403: "the key does not allow this; check what it is for",
    404: "there is no such address or model; check the address (it usually ends in /v1) and the model's name",
}


@dataclass(frozen=True)
class Endpoint:
    """A server at ``address`` (up to and including /v1); call ``complete`` for the text of an answer.

    key: the secret; without it the environment variable ``key_variable`` is read when a request is made. None
    for both sends none, as servers on one's own machine have it. Without either being given, OPENAI_API_KEY
    is sent to OpenAI's own address, and every other address is refused until one of them is.
    timeout: seconds for one attempt, from the connection to the last byte. attempts: how often a request is
    made at most, where the server is busy, fails or can't be reached; between attempts it waits 1, 2, 4, …
    times ``first_wait`` seconds or what the server asks for, never longer than ``longest_wait``.
    largest_answer: bytes of one answer; a longer one is an error, not cut off.
    pace: when requests may be made, shared by all threads; one that is told to wait holds back all.
    """

    address: str = "https://api.openai.com/v1"
    key: str | None = field(default=None, repr=False)
    key_variable: str | None = ""
    timeout: float = 60.0
    attempts: int = 4
    first_wait: float = 1.0
    longest_wait: float = 30.0
    largest_answer: int = 1 << 20
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)
    pace: Pace | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_address(self.address)
        for name in ("key", "key_variable"):
            value = getattr(self, name)
            if not (value is None or isinstance(value, str)):
                raise UsageError(f"{name} is a {type(value).__name__}; expected a string or None")
        if holds_key(self.address, self.key):
            raise UsageError("the endpoint's address holds the key; give the key by key or key_variable")
        check_number("timeout", self.timeout, least=1e-3, most=LONGEST_TIME)
        check_number("first_wait", self.first_wait, least=0, most=LONGEST_TIME)
        check_number("longest_wait", self.longest_wait, least=0, most=LONGEST_TIME)
        check_number("attempts", self.attempts, least=1, most=MOST_ATTEMPTS, whole=True)
        check_number("largest_answer", self.largest_answer, least=1, most=MOST_BYTES, whole=True)

    def complete(self, request: ChatRequest) -> str:
        """Return the text of the first answer to a request.

        EndpointError: no usable answer came, after all attempts. UsageError: there is no key, or the server
        refuses in a way that no further request can mend.
        """
        reply = self.reply(request)
        if reply.text is None:
            raise EndpointError(f"the model declines to answer: {reply.refusal:.200}")
        return reply.text

    def reply(self, request: ChatRequest) -> Reply:
        """Return the first answer to a request with what it took; errors as of ``complete``.

        RefusedRequest: the server does not accept this request, however often it is made.
        """
        key = self.key_to_send()
        content = self.post("chat/completions", request.to_dict())
        reply = reply_of(content, shown=lambda said: quoted(said, key))
        if holds_key(reply.text or reply.refusal, key):
            raise EndpointError(f"{self.address} repeats the key in its answer, which is therefore not kept")
        return reply

    def key_to_send(self) -> str | None:
        """Return the key, None for none; errors as of ``keys.key_for``."""
        return key_for(self.address, key=self.key, variable=self.key_variable)

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON that comes back for some; errors as of ``complete``."""
        return self._asked(path, json.dumps(content).encode())

    def get(self, path: str) -> Any:
        """Return the JSON at a path, such as "models"; errors as of ``complete``."""
        return self._asked(path, None)

    def _asked(self, path: str, body: bytes | None) -> Any:
        key = self.key_to_send()
        request = urllib.request.Request(
            f"{self.address.rstrip('/')}/{path}",
            data=body,
            headers={} if body is None else {"Content-Type": "application/json"},
            method="GET" if body is None else "POST",
        )
        if key is not None:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        for attempt in range(1, self.attempts + 1):
            if self.pace is not None:
                self.pace.wait()
            try:
                return read_json(self.once(request, key), shown=lambda said: quoted(said, key))
            except Again as fault:
                if attempt == self.attempts:
                    raise EndpointError(
                        f"{self.address} gave no answer in {attempt} attempts; the last time: {fault}. Is "
                        "it up, and are its limits kept? timeout, attempts and longest_wait can be raised"
                    ) from None
                busy = fault.busy
                wait = self.first_wait * 2 ** (attempt - 1) if fault.after is None else fault.after
            wait = min(max(wait, 0.0), self.longest_wait)
            if self.pace is not None and busy:
                self.pace.hold_back(wait)
            self.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def once(self, request: urllib.request.Request, key: str | None) -> bytes:
        """Return the body of one answer; Again where another attempt may help."""
        until = time.monotonic() + self.timeout
        try:
            with opener_until(until).open(request, timeout=self.timeout) as reply:
                return self.body(reply)
        except urllib.error.HTTPError as fault:
            with fault:
                raise self.refused(fault, key) from None
        except (OSError, http.client.HTTPException, ValueError) as fault:
            reason = getattr(fault, "reason", fault)
            if isinstance(reason, TimeoutError):
                raise Again(f"its answer was not complete after {self.timeout:g} s (TimeoutError)") from None
            raise Again(f"{type(fault).__name__}: {quoted(str(reason), key)}") from None

    def body(self, reply: http.client.HTTPResponse) -> bytes:
        """Return all bytes of an answer; Again for too few, EndpointError for too many."""
        read = bytearray()
        while chunk := reply.read1(CHUNK):
            read += chunk
            if len(read) > self.largest_answer:
                raise EndpointError(
                    f"{self.address} answers with more than {self.largest_answer} bytes; is it the right "
                    "address? largest_answer can be raised, and max_tokens of the request lowered"
                )
        if reply.length:
            raise Again(f"its answer broke off {reply.length} bytes before its end")
        return bytes(read)

    def refused(self, fault: urllib.error.HTTPError, key: str | None) -> Exception:
        """Return the error for a status that is not success."""
        said = f"status {fault.code}: {excerpt(fault, key)}"
        if fault.code in AGAIN:
            after = seconds(fault.headers.get("Retry-After"))
            return Again(said, after=after, busy=after is not None or fault.code == TOO_MANY)
        if 300 <= fault.code < 400:
            return UsageError(
                f"{self.address} sends us elsewhere ({said}); a key is never carried to another address: "
                "give the final one"
            )
        if fault.code in (401, 403) and key is None:
            return UsageError(
                f"{self.address} wants a key ({said}); give key=…, or key_variable= with the name of an "
                "environment variable"
            )
        if fault.code in HOPELESS:
            return UsageError(f"{self.address} refuses: {HOPELESS[fault.code]} ({said})")
        return RefusedRequest(f"{self.address} does not accept the request ({said})")


class Again(Exception):
    """An attempt that failed in a way that may pass.

    after: the seconds that the server asks to wait. busy: it wants fewer requests, whoever makes them.
    """

    def __init__(self, why: str, *, after: float | None = None, busy: bool = False) -> None:
        super().__init__(why)
        self.after, self.busy = after, busy


def excerpt(fault: urllib.error.HTTPError, key: str | None) -> str:
    """Return the beginning of an error's body, on one line, or of its reason."""
    try:
        body = fault.read(4 * MOST_SHOWN).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException, ValueError):
        body = ""
    return quoted(body if body.split() else str(fault.reason), key)


def seconds(header: str | None) -> float | None:
    """Return what a Retry-After header asks for; None without one, or for one that gives a date.

    >>> seconds("2.5"), seconds("Wed, 21 Oct 2015 07:28:00 GMT"), seconds(None)
    (2.5, None, None)
    """
    try:
        value = float(header or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None

"""A client of endpoints that speak OpenAI's chat protocol, such as a judge of answers or a server of our own.

It needs nothing but the standard library. Every wait and every answer is bounded, and the key appears in no
message.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from deixis.errors import EndpointError, UsageError

CHUNK = 1 << 16
MOST_SHOWN = 200
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})  # what may pass if asked again
HOPELESS = {
    401: "the key was not accepted; check it",
    403: "the key does not allow this; check what it is for",
    404: "there is no such address or model; check the address (it usually ends in /v1) and the model's name",
}


@dataclass(frozen=True)
class ChatRequest:
    """One question to a chat endpoint. messages: (role, content), as "system" and "user"."""

    model: str
    messages: tuple[tuple[str, str], ...]
    temperature: float = 0.0
    max_tokens: int = 1024

    def to_dict(self) -> dict[str, Any]:
        """Return the request as the protocol has it."""
        return {
            "model": self.model,
            "messages": [{"role": role, "content": content} for role, content in self.messages],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }


@dataclass(frozen=True)
class Endpoint:
    """A server at ``address`` (up to and including /v1); call ``complete`` for the text of an answer.

    key: the secret; without it the environment variable ``key_variable`` is read when a request is made, and
    None for both sends none, as servers on one's own machine have it.
    timeout: seconds for one attempt, from the connection to the last byte. attempts: how often a request is
    made at most, where the server is busy, fails or can't be reached; between attempts it waits 1, 2, 4, …
    times ``first_wait`` seconds or what the server asks for, never longer than ``longest_wait``.
    largest_answer: bytes of one answer; a longer one is an error, not cut off.
    """

    address: str = "https://api.openai.com/v1"
    key: str | None = field(default=None, repr=False)
    key_variable: str | None = "OPENAI_API_KEY"
    timeout: float = 60.0
    attempts: int = 4
    first_wait: float = 1.0
    longest_wait: float = 30.0
    largest_answer: int = 1 << 20
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(
                f"the endpoint's address is {self.address!r}; expected one such as https://api.openai.com/v1"
            )
        if "@" in parts.netloc:
            raise UsageError(
                "the endpoint's address holds a user or password; give the key by key or key_variable"
            )
        if min(self.timeout, self.attempts, self.largest_answer) <= 0:
            raise UsageError(
                f"timeout {self.timeout}, attempts {self.attempts} and largest_answer {self.largest_answer} "
                "have to be above 0"
            )

    def complete(self, request: ChatRequest) -> str:
        """Return the text of the first answer to a request.

        EndpointError: no usable answer came, after all attempts. UsageError: there is no key, or the server
        refuses in a way that no further request can mend.
        """
        return answer_text(self.post("chat/completions", request.to_dict()))

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON that comes back for some; errors as of ``complete``."""
        request = urllib.request.Request(
            f"{self.address.rstrip('/')}/{path}",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json", **self.authorisation()},
            method="POST",
        )
        for attempt in range(1, self.attempts + 1):
            try:
                return read_json(self.once(request))
            except Again as fault:
                if attempt == self.attempts:
                    raise EndpointError(
                        f"{self.address} gave no answer in {attempt} attempts; the last time: {fault}. Is "
                        "it up, and are its limits kept? timeout, attempts and longest_wait can be raised"
                    ) from fault
                wait = self.first_wait * 2 ** (attempt - 1) if fault.after is None else fault.after
                self.sleep(min(max(wait, 0.0), self.longest_wait))
        raise AssertionError("the last attempt returns or raises")

    def authorisation(self) -> dict[str, str]:
        """Return the header with the key; UsageError if there should be one and isn't."""
        key = self.key
        if key is None and self.key_variable is not None:
            key = os.environ.get(self.key_variable, "").strip()
            if not key:
                raise UsageError(
                    f"there is no key for {self.address}: set the environment variable "
                    f"{self.key_variable}, give "
                    "key=…, or key_variable=None for a server that needs none"
                )
        if key is not None and not (key.isascii() and key.isprintable()):
            raise UsageError(
                "the key holds characters that no header can carry; was a line break copied with it?"
            )
        return {} if key is None else {"Authorization": f"Bearer {key}"}

    def once(self, request: urllib.request.Request) -> bytes:
        """Return the body of one answer; Again where another attempt may help."""
        until = time.monotonic() + self.timeout
        try:
            with urllib.request.build_opener(NoRedirects).open(request, timeout=self.timeout) as reply:
                return self.body(reply, until=until)
        except urllib.error.HTTPError as fault:
            with fault:
                raise self.refused(fault) from None
        except (OSError, http.client.HTTPException) as fault:
            reason = getattr(fault, "reason", fault)
            raise Again(f"{type(fault).__name__}: {reason}") from fault

    def body(self, reply: http.client.HTTPResponse, *, until: float) -> bytes:
        """Return all bytes of an answer; Again after too long, EndpointError for too many."""
        read = bytearray()
        while chunk := reply.read1(CHUNK):
            read += chunk
            if len(read) > self.largest_answer:
                raise EndpointError(
                    f"{self.address} answers with more than {self.largest_answer} bytes; is it the right "
                    "address? largest_answer can be raised, and max_tokens of the request lowered"
                )
            if time.monotonic() > until:
                raise Again(f"its answer was not complete after {self.timeout:g} s")
        if reply.length:
            raise Again(f"its answer broke off {reply.length} bytes before its end")
        return bytes(read)

    def refused(self, fault: urllib.error.HTTPError) -> Exception:
        """Return the error for a status that is not success."""
        said = f"status {fault.code}: {excerpt(fault)}"
        if fault.code in AGAIN:
            return Again(said, after=seconds(fault.headers.get("Retry-After")))
        if 300 <= fault.code < 400:
            return UsageError(
                f"{self.address} sends us elsewhere ({said}); a key is never carried to another address: "
                "give the final one"
            )
        if fault.code in HOPELESS:
            return UsageError(f"{self.address} refuses: {HOPELESS[fault.code]} ({said})")
        return EndpointError(f"{self.address} does not accept the request ({said})")


class Again(Exception):
    """An attempt that failed in a way that may pass. after: the seconds that the server asks to wait."""

    def __init__(self, why: str, *, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key would go with it."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Return None: the redirect becomes an error."""


def excerpt(fault: urllib.error.HTTPError) -> str:
    """Return the beginning of an error's body, on one line."""
    try:
        body = fault.read(4 * MOST_SHOWN).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException):
        body = ""
    return " ".join(body.split())[:MOST_SHOWN] or str(fault.reason)


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


def read_json(body: bytes) -> Any:
    """Return the content of a body; EndpointError if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as fault:
        shown = body[:MOST_SHOWN].decode("utf-8", errors="replace")
        raise EndpointError(
            f"the endpoint's answer is not JSON ({fault}): {shown!r}; is the address that of a chat endpoint?"
        ) from fault


def answer_text(content: Any) -> str:
    """Return the text of the first choice of a chat completion; EndpointError if there is none.

    >>> answer_text({"choices": [{"message": {"role": "assistant", "content": "8 7"}}]})
    '8 7'
    """
    try:
        text = content["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        text = None
    if not isinstance(text, str):
        shown = content if not isinstance(content, Sequence) else content[:1]
        raise EndpointError(
            "the endpoint's answer has no text at choices[0].message.content: "
            f"{json.dumps(shown)[:MOST_SHOWN]}"
        )
    return text

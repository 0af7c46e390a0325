"""The endpoint client against a server on this machine that misbehaves on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deixis.endpoints.chat import ChatRequest
from deixis.endpoints.endpoint import Endpoint
from deixis.endpoints.pace import Pace
from deixis.errors import EndpointError, RefusedRequest, UsageError

REQUEST = ChatRequest("judge", (("system", "Be fair."), ("user", "8 or 7?")), temperature=0.2, max_tokens=9)
KEY = "sk-very-secret"
Headers = dict[str, str]


@dataclass
class Said:
    """One answer of the server: a status, a body, headers; ``cut`` bytes are promised but not sent."""

    status: int = 200
    body: bytes = b"{}"
    headers: Headers = field(default_factory=dict)
    cut: int = 0
    delay: float = 0.0
    drip: float = 0.0  # seconds between bytes


def completion(text: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


class Server(ThreadingHTTPServer):
    """Gives the answers of a list, one after another, and keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Said] = []
        self.requests: list[tuple[str, Headers, Any]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), content))
        said = self.server.script.pop(0)
        time.sleep(said.delay)
        try:
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body) + said.cut))
            self.end_headers()
            for start in range(0, len(said.body), 1 if said.drip else max(len(said.body), 1)):
                self.wfile.write(said.body[start : start + 1] if said.drip else said.body)
                time.sleep(said.drip)
        except ConnectionError:
            pass  # the client gave up

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def endpoint(server: Server, waits: list[float] | None = None, **changes: Any) -> Endpoint:
    sleep = (waits if waits is not None else []).append
    return Endpoint(server.address, **{"key": KEY, "timeout": 5.0, "sleep": sleep, **changes})


def test_a_request_and_its_answer(server: Server) -> None:
    server.script = [Said(body=completion("8 7\nboth good"))]
    assert endpoint(server).complete(REQUEST) == "8 7\nboth good"
    ((path, headers, content),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert content == {
        "model": "judge",
        "messages": [{"role": "system", "content": "Be fair."}, {"role": "user", "content": "8 or 7?"}],
        "temperature": 0.2,
        "max_tokens": 9,
    }


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_busy_server_is_asked_again(server: Server, status: int) -> None:
    waits: list[float] = []
    server.script = [Said(status), Said(status), Said(body=completion("1 2"))]
    assert endpoint(server, waits).complete(REQUEST) == "1 2"
    assert waits == [1.0, 2.0]


def test_the_server_says_how_long_to_wait_within_bounds(server: Server) -> None:
    waits: list[float] = []
    server.script = [
        Said(429, headers={"Retry-After": "7"}),
        Said(429, headers={"Retry-After": "86400"}),
        Said(429, headers={"Retry-After": "soon"}),
        Said(body=completion("1 2")),
    ]
    assert endpoint(server, waits).complete(REQUEST) == "1 2"
    assert waits == [7.0, 30.0, 4.0]


def test_attempts_are_bounded(server: Server) -> None:
    waits: list[float] = []
    server.script = [Said(503, b"overloaded")] * 3
    with pytest.raises(EndpointError, match=r"no answer in 3 attempts; .* status 503: overloaded"):
        endpoint(server, waits, attempts=3).complete(REQUEST)
    assert len(server.requests) == 3 and len(waits) == 2


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (400, EndpointError, "does not accept the request .status 400: too long"),
        (401, UsageError, "the key was not accepted"),
        (403, UsageError, "the key does not allow this"),
        (404, UsageError, "usually ends in /v1"),
    ],
)
def test_what_no_repetition_mends_is_asked_once(
    server: Server, status: int, error: type[Exception], message: str
) -> None:
    server.script = [Said(status, b"too long")]
    with pytest.raises(error, match=message) as caught:
        endpoint(server).complete(REQUEST)
    assert len(server.requests) == 1 and KEY not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_the_key(server: Server, status: int) -> None:
    server.script = [Said(status, headers={"Location": f"{server.address}/elsewhere"})]
    with pytest.raises(UsageError, match="never carried to another address"):
        endpoint(server).complete(REQUEST)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>welcome</html>", "is not JSON"),
        (b"", "is not JSON"),
        (b'{"choices": [', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"choices": []}', r"no text at choices\[0\]"),
        (b"[1]", r"no text at choices\[0\]"),
        (b"7", r"no text at choices\[0\]"),
        (completion(None), r"no text at choices\[0\]"),
        (completion([{"text": "8 7"}]), r"no text at choices\[0\]"),
    ],
)
def test_answers_that_are_none(server: Server, body: bytes, message: str) -> None:
    server.script = [Said(body=body)]
    with pytest.raises(EndpointError, match=message):
        endpoint(server).complete(REQUEST)
    assert len(server.requests) == 1


def test_an_answer_that_is_too_long_is_refused_not_cut(server: Server) -> None:
    server.script = [Said(body=completion("8 7" + " " * 5000))]
    with pytest.raises(EndpointError, match="more than 4096 bytes"):
        endpoint(server, largest_answer=4096).complete(REQUEST)


def test_an_answer_that_breaks_off_is_asked_for_again(server: Server) -> None:
    server.script = [
        Said(body=completion("8 7"), cut=50, headers={"Connection": "close"}),
        Said(body=completion("8 7")),
    ]
    assert endpoint(server).complete(REQUEST) == "8 7"


def test_a_server_that_is_too_slow(server: Server) -> None:
    server.script = [Said(body=completion("8 7"), delay=0.6), Said(body=completion("1 2"))]
    began = time.monotonic()
    with pytest.raises(EndpointError, match="TimeoutError"):
        endpoint(server, timeout=0.1, attempts=1).complete(REQUEST)
    assert time.monotonic() - began < 0.5


def test_a_server_that_drips_byte_after_byte(server: Server) -> None:
    server.script = [Said(body=completion("8 7"), drip=0.02)]
    began = time.monotonic()
    with pytest.raises(EndpointError, match=r"not complete after 0\.15 s"):
        endpoint(server, timeout=0.15, attempts=1).complete(REQUEST)
    assert time.monotonic() - began < 0.5


def test_nobody_listens(server: Server) -> None:
    with Server() as other:
        address = other.address
    with pytest.raises(EndpointError, match=r"no answer in 2 attempts; .*ConnectionRefused|URLError"):
        Endpoint(address, key=KEY, attempts=2, timeout=1.0, sleep=[].append).complete(REQUEST)


def test_the_key(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", " from-the-variable\n")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match="set the environment variable NO_SUCH_KEY"):
        endpoint(server, key=None, key_variable="NO_SUCH_KEY").complete(REQUEST)
    with pytest.raises(UsageError, match="set the environment variable OPENAI_API_KEY"):
        Endpoint().complete(REQUEST)
    with pytest.raises(UsageError, match="was a line break copied") as caught:
        endpoint(server, key=KEY + "\n").complete(REQUEST)
    assert KEY not in str(caught.value)
    assert server.requests == []
    server.script = [Said(body=completion(text)) for text in "abc"]
    assert endpoint(server, key=None, key_variable=None).complete(REQUEST) == "a"
    assert endpoint(server, key="own").complete(REQUEST) == "b"
    assert endpoint(server, key=None, key_variable="JUDGE_KEY").complete(REQUEST) == "c"
    sent = [headers.get("Authorization") for _, headers, _ in server.requests]
    assert sent == [None, "Bearer own", "Bearer from-the-variable"]
    assert "own" not in repr(endpoint(server, key="own"))


def test_the_key_of_openai_goes_to_openai_alone(server: Server) -> None:
    with pytest.raises(UsageError, match=r"OPENAI_API_KEY is sent to https://api.openai.com alone"):
        endpoint(server, key=None).complete(REQUEST)
    assert server.requests == []
    for address in (
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com.example.org/v1",
        "https://example.org/api.openai.com/v1",
    ):
        with pytest.raises(UsageError, match="no key was given"):
            Endpoint(address).key_to_send()
    assert Endpoint().key_to_send() == Endpoint("https://API.openai.com:443/v1/").key_to_send() == KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "api.openai.com/v1"},
        {"address": "file:///etc/passwd"},
        {"address": "https://user:word@host/v1"},
        {"address": "https://host:99999/v1"},
        {"address": "https://host:word/v1"},
        {"address": "https://host:0/v1"},
        {"address": "https://[::1/v1"},
        {"address": "https://:80/v1"},
        {"address": "https://host/v1?key=7"},
        {"address": "https://host/v1#part"},
        {"address": "https://host/v 1"},
        {"address": "https://host/v1\r\nX: 1"},
        {"address": "https://höst/v1"},
        {"address": b"https://host/v1"},
        {"address": None},
        {"address": f"https://host/{KEY}/v1", "key": KEY},
        {"key": KEY.encode()},
        {"key_variable": 7},
        *({"timeout": value} for value in (0, -1, float("nan"), float("inf"), "60", None, True, 10**400)),
        *({"attempts": value} for value in (0, -1, 1.5, "4", None, True, 10**9)),
        *({"first_wait": value} for value in (-1, float("nan"), "1", None)),
        *({"longest_wait": value} for value in (-1, float("inf"), float("nan"), None)),
        *({"largest_answer": value} for value in (0, -1, 1e6, None)),
    ],
)
def test_impossible_settings(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        Endpoint(**changes)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"model": ""},
        {"model": None},
        {"messages": ()},
        {"messages": (("user", None),)},
        {"temperature": float("nan")},
        {"temperature": -1},
        {"max_tokens": 0},
        {"max_tokens": 2.5},
    ],
)
def test_impossible_requests(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ChatRequest(**{"model": "judge", "messages": (("user", "8 or 7?"),), **values})


def test_a_busy_server_holds_back_all_who_share_the_pace(server: Server) -> None:
    held: list[float] = []

    class Noted(Pace):
        def hold_back(self, seconds: float) -> None:
            held.append(seconds)

    server.script = [
        Said(429, headers={"Retry-After": "3"}), Said(500), Said(429), Said(body=completion("1 2"))
    ]  # fmt: skip
    assert endpoint(server, pace=Noted()).complete(REQUEST) == "1 2"
    assert held == [3.0, 4.0]  # a server that fails is no reason for others to wait


def test_what_a_model_declines(server: Server) -> None:
    body = json.dumps({"choices": [{"message": {"content": None, "refusal": "No."}}]}).encode()
    server.script = [Said(body=body), Said(body=body)]
    assert endpoint(server).reply(REQUEST).refusal == "No."
    with pytest.raises(EndpointError, match="declines to answer: No"):
        endpoint(server).complete(REQUEST)


def test_a_request_that_is_not_accepted_is_told_from_failures(server: Server) -> None:
    server.script = [Said(400, b"content policy")]
    with pytest.raises(RefusedRequest, match="content policy"):
        endpoint(server).reply(REQUEST)

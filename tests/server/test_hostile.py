"""Whatever is sent, the answer is JSON in one shape, and no fault of the server's own."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deixis.server.application import create_app
from deixis.server.limits import ServerLimits
from deixis.server.running.connections import Connection
from tests.server.asking import CHAT, WAIT, Client, FakeEngine, chat, error_of, running

JSON = {"Content-Type": "application/json"}


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"messages": [}',
        b'{"temperature": NaN}',
        b'{"temperature": Infinity}',
        b'{"seed": 1' + b"0" * 10_000 + b"}",
        b"\xff\xfe{}",
        b'"\\ud800"',
        deep(100_000),
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"messages": [], }',
        b"{}{}",
        b"\x00",
    ],
    ids=repr,
)
def test_what_is_no_json_is_said(body: bytes) -> None:
    error = error_of(Client().post(CHAT, content=body, headers=JSON), 400)
    assert error["code"] == "invalid_json"


@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        [],
        "messages",
        {},
        {"messages": None},
        {"messages": {}},
        {"messages": [None]},
        {"messages": [[]]},
        {"messages": [{"role": None}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [None]}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": "  \n"}]},
        {"messages": [{"role": "user", "content": "a" * 5000}]},
        {"messages": [{"role": "user", "content": "a" * 200_000}]},
        {"messages": [{"role": "user", "content": "a\x00b", "name": 5}]},
        {"\ud83d": 1, "messages": []},
        chat("What?") | {"a" * 10_000: 1},
        chat("What?", temperature=10**300),
        chat("What?", seed=10**300),
        chat("What?", max_places=-1),
        chat("What?", stop=[["a"]]),
        chat("What?", model=""),
        chat("What?", model="x" * 500),
    ],
    ids=lambda content: repr(content)[:40],
)
def test_what_is_no_request_is_said(content: Any) -> None:
    client = Client()
    client.engine.answer = checked_first
    body = json.dumps(content).encode()
    reply = client.post(CHAT, content=body, headers=JSON)
    assert reply.status_code in (400, 404), reply.text
    error = error_of(reply, reply.status_code)
    assert error["message"] and len(reply.content) < 2000


def checked_first(asked: Any) -> Any:
    raise AssertionError("the engine was asked")


@pytest.fixture(autouse=True)
def engine_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake engine check questions as the real one does."""
    from deixis.errors import UnknownModel
    from deixis.systems.questions import checked_question

    submit = FakeEngine.submit

    def checking(self: FakeEngine, asked: Any, on_event: Any) -> Any:
        if asked.model not in (None, "fake"):
            raise UnknownModel("there is no such model")
        checked_question(asked.question, asked.regions, asked.pictures, before=asked.before)
        return submit(self, asked, on_event)

    monkeypatch.setattr(FakeEngine, "submit", checking)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": b"\xff"},
        [("Content-Type", "application/json"), ("Content-Type", "text/plain")],
    ],
)
def test_other_types_are_refused(headers: Any) -> None:
    body = json.dumps(chat("What?")).encode()
    assert error_of(Client().post(CHAT, content=body, headers=headers), 415)


def test_encoded_bodies_are_refused() -> None:
    body = gzip.compress(json.dumps(chat("What?")).encode())
    error = error_of(Client().post(CHAT, content=body, headers=JSON | {"Content-Encoding": "gzip"}), 415)
    assert "isn't encoded" in error["message"]


def test_json_may_say_its_letters_and_begin_with_their_mark() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(chat("Was ist das für ein Bär?"), ensure_ascii=False).encode()
    client = Client()
    given = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post(CHAT, content=body, headers=given).status_code == 200
    assert client.engine.asked[0].question == "Was ist das für ein Bär?"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "QUERY"])
def test_other_methods(method: str) -> None:
    reply = Client().request(method, CHAT)
    assert reply.status_code == 405 and reply.headers["allow"] == "POST"
    if method != "HEAD":
        assert error_of(reply, 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/docs",
        "/redoc",
        "//",
        "/%00",
        "/\udcff/..".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_other_paths(path: str) -> None:
    assert error_of(Client().get(path), 404)["code"] == "not_found"


def test_long_bodies_are_refused_whether_they_say_so_or_not() -> None:
    client = Client(limits=ServerLimits(body_bytes=1000))
    error = error_of(client.post(CHAT, content=b"x" * 1001, headers=JSON), 413)
    assert "longer than 1,000 bytes" in error["message"]

    async def unsaid() -> Any:
        for _ in range(100):
            yield b"x" * 100

    assert error_of(client.post(CHAT, content=unsaid(), headers=JSON), 413)
    # What a header says that no number is true of counts for nothing.
    strange = JSON | {"Content-Length": "9" * 400}
    assert client.post(CHAT, content=b"{}", headers=strange).status_code == 413


def answers(address: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Return what a server says to bytes, sent piece by piece."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT) as sock:
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(pause)
        return b"".join(iter(lambda: sock.recv(4096), b""))


def body_in(told: bytes) -> dict[str, Any]:
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower()
    return json.loads(body)["error"]


@pytest.fixture
def address() -> Iterator[str]:
    with running(create_app(FakeEngine(), limits=ServerLimits(upload_seconds=0.4))) as (address, _):
        yield address


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000,
    ],
    ids=["nonsense", "no host", "two hosts", "no length", "long header"],
)
def test_what_is_no_http_is_told_in_json(address: str, sent: bytes) -> None:
    told = answers(address, sent)
    assert told.startswith(b"HTTP/1.1 400 ") and body_in(told)["code"] == "invalid_http"


def test_slow_bodies_are_not_waited_for(address: str) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    told = answers(address, f"{head}Content-Length: 9\r\n\r\n".encode(), b"{")
    assert told.startswith(b"HTTP/1.1 408 ")
    assert "did not arrive within 0.4 s" in body_in(told)["message"]


def test_slow_headers_are_not_waited_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "header_seconds", 0.3)
    assert answers(address) == b""
    assert answers(address, b"GET / HT") == b""
    again = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    told = answers(address, again, b"GET /hea", pause=0.1)
    assert told.startswith(b"HTTP/1.1 200 ") and told.count(b"HTTP/1.1") == 1


def test_a_connection_that_breaks_off_leaves_nothing(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    for part in (20, 90, 200):
        body = json.dumps(chat("What?")).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        with socket.create_connection((host, int(port)), timeout=WAIT) as sock:
            sock.sendall(whole[:part])
    assert httpx.post(address + CHAT, json=chat("What?"), timeout=WAIT).status_code == 200


def test_many_at_once(address: str) -> None:
    seen: list[int] = []

    def ask() -> None:
        with httpx.Client(timeout=WAIT) as client:
            seen.extend(client.post(address + CHAT, json=chat("What?")).status_code for _ in range(3))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert seen == [200] * 48

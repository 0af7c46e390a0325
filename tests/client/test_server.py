"""The client of a server: waiting, refusals, streams that break off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deixis.client.question import chat_request
from deixis.client.server import Server
from deixis.client.system import CHAT, RemoteSystem
from deixis.errors import (
    BadPicture,
    BadRegion,
    DeadlinePassed,
    DeixisError,
    EndpointError,
    RefusedRequest,
    UnknownModel,
    UsageError,
)
from deixis.pictures.opening import open_picture
from tests.client.fake_server import FakeServer, Fault, refused, running

PICTURE = open_picture(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8), name="a.png")
KEY = "sk-very-secret-words"


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with running() as server:
        yield server


def asked(fake: FakeServer, waits: list[float] | None = None, **changes: Any) -> Any:
    sleep = (waits if waits is not None else []).append
    server = Server(fake.address, **{"timeout": 5.0, "sleep": sleep, **changes})
    return RemoteSystem(server).ask(PICTURE, "What is there?")


def test_the_key_is_sent_and_the_address_may_end_in_v1(fake: FakeServer) -> None:
    server = Server(f"{fake.address}/v1/", KEY)
    assert RemoteSystem(server).ask(PICTURE, "What?").text == "It is 1."
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(server)


def test_a_busy_server_is_asked_again_when_it_says(fake: FakeServer, caplog: Any) -> None:
    waits: list[float] = []
    fake.faults = [
        refused(429, "16 questions wait already", Retry_After="3"),
        refused(503, "it is closing", Retry_After="900"),
        refused(429, "16 questions wait already"),
    ]
    assert asked(fake, waits).text == "It is 4."
    assert waits == [3.0, 30.0, 4.0]
    assert "is busy; asking again in 3 s" in caplog.text


def test_a_server_that_stays_busy_is_given_up(fake: FakeServer) -> None:
    fake.faults = [refused(429, "16 questions wait already", Retry_After="1")] * 3
    with pytest.raises(EndpointError, match="still busy after 3 attempts: 16 questions wait already"):
        asked(fake, attempts=3)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (refused(401, "no key"), UsageError, "wants a key; give its file: --api-key-file FILE"),
        (refused(400, "{it} lies outside", code="BadRegion"), BadRegion, "^{it} lies outside$"),
        (refused(404, "no such model", code="UnknownModel"), UnknownModel, "^no such model$"),
        (refused(400, "raise max_tokens", code="UsageError"), UsageError, "^raise max_new_tokens$"),
        (refused(504, "too late", code="DeadlinePassed"), DeadlinePassed, "^too late$"),
        (refused(413, "too long"), BadPicture, r"takes no request of [\d,]+ bytes \(too long\)"),
        (Fault(413, b"<h1>Entity too large</h1>"), BadPicture, "Entity too large"),
        (refused(404, "no such path"), UsageError, "is it the address of a deixis server"),
        (refused(503, "the engine died"), EndpointError, r"has stopped answering \(the engine died\)"),
        (refused(500, "a fault"), EndpointError, "failed with status 500: a fault"),
        (refused(422, "field x is unknown"), RefusedRequest, "does not accept the request: field x"),
        (Fault(302, headers={"Location": "http://example.org"}), UsageError, "sends us elsewhere"),
        (Fault(200, b"<html>"), EndpointError, "something else than JSON"),
        (Fault(200, b"{}"), EndpointError, "no answer with places"),
        (Fault(200, b'{"choices": [{"message": {"answer": {"text": 3}}}]}'), EndpointError, "can't be used"),
        (Fault(200, b"{", cut=90), EndpointError, "broke off before the answer was complete"),
    ],
)
def test_what_a_server_refuses(fake: FakeServer, fault: Fault, kind: type[DeixisError], said: str) -> None:
    fake.faults = [fault]
    with pytest.raises(kind, match=said) as caught:
        asked(fake)
    assert type(caught.value) is kind
    assert len(fake.requests) == 1


def test_a_wrong_key_is_not_repeated(fake: FakeServer) -> None:
    fake.faults = [refused(401, f"wrong key {KEY}")]
    with pytest.raises(UsageError, match="refuses the key") as caught:
        asked(fake, key=KEY)
    assert KEY not in str(caught.value)


def test_no_server(fake: FakeServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EndpointError, match=f"there is no server at {address}: .*refused; start one with"):
        RemoteSystem(Server(address)).ask(PICTURE, "What?")


def test_a_proxy_of_the_environment_is_not_asked_about_this_machine(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert asked(fake).text == "It is 1."


def test_time_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Server(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        with pytest.raises(EndpointError, match=r"did not answer in 0\.2 s"):
            RemoteSystem(server).ask(PICTURE, "What?")


def test_a_reply_is_bounded(fake: FakeServer) -> None:
    with pytest.raises(EndpointError, match="more than 100 bytes"):
        asked(fake, largest_reply=100)


def test_a_stream(fake: FakeServer) -> None:
    server = Server(fake.address)
    deltas = [one["choices"][0]["delta"] for one in server.stream(CHAT, chat_request(PICTURE, "What?"))]
    assert [one.get("content") for one in deltas] == ["It ", "is ", "1. ", None]
    assert deltas[-1]["answer"]["text"] == "It is 1."
    assert fake.requests[0]["stream"] is True


def test_a_stream_that_breaks_off_is_an_error(fake: FakeServer) -> None:
    fake.broken_stream = True
    stream = Server(fake.address).stream(CHAT, chat_request(PICTURE, "What?"))
    assert next(stream)["choices"][0]["delta"] == {"content": "It "}
    with pytest.raises(EndpointError, match="broke off before its end"):
        next(stream)


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://a", "http://me:pw@a", "http://a/?x=1"])
def test_addresses_that_cannot_be(address: str) -> None:
    with pytest.raises(UsageError):
        Server(address)

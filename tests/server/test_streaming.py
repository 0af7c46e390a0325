"""Streams tell what becomes certain, end as they should, and are taken back when nobody listens."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import httpx
import jsonschema
import pytest

from deixis.answers.grounded import answer_schema
from deixis.engine.policy import Delta
from deixis.errors import ModelFailed
from deixis.server.application import create_app
from deixis.server.limits import ServerLimits
from deixis.serving.asked import Finished, Progress
from tests.server.asking import CHAT, WAIT, Client, FakeEngine, answer_to, chat, running, until


def events_of(reply: httpx.Response) -> list[Any]:
    """Return the events of a stream, the last of which is "[DONE]"."""
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-length" not in reply.headers
    events = reply.text.split("\n\n")
    assert events.pop() == "" and all(event.startswith("data: ") for event in events)
    told = [event.removeprefix("data: ") for event in events]
    return [one if one == "[DONE]" else json.loads(one) for one in told]


def test_all_pieces_together_are_the_answer() -> None:
    *pieces, end = events_of(Client().ask(chat("What?", stream=True)))
    assert end == "[DONE]"
    assert len({piece["id"] for piece in pieces}) == 1
    assert {piece["object"] for piece in pieces} == {"chat.completion.chunk"}
    deltas = [piece["choices"][0]["delta"] for piece in pieces]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == "A dog."
    assert [delta["places"][0]["phrase"] for delta in deltas if "places" in delta] == ["dog"]
    assert [piece["choices"][0]["finish_reason"] for piece in pieces] == [None] * 4 + ["stop"]
    jsonschema.validate(deltas[-1]["answer"], answer_schema())
    assert all("usage" not in piece for piece in pieces)


def test_tokens_are_told_to_those_who_ask() -> None:
    options = {"include_usage": True}
    *_, usage, end = events_of(Client().ask(chat("What?", stream=True, stream_options=options)))
    assert end == "[DONE]" and usage["choices"] == [] and usage["usage"]["total_tokens"] == 73


def test_the_own_dialect_comes_when_it_is_whole() -> None:
    *pieces, _ = events_of(Client().ask(chat("What?", stream=True, dialect="own", logprobs=True)))
    deltas = [piece["choices"][0]["delta"] for piece in pieces]
    assert "".join(delta.get("content", "") for delta in deltas) == "A <p>dog</p>."
    assert [list(delta) for delta in deltas] == [["role", "content"], ["places"], ["content", "answer"]]
    assert len(pieces[-1]["choices"][0]["logprobs"]["content"]) == 3


def test_what_fails_in_the_middle_is_an_event_and_no_end_follows() -> None:
    client = Client()
    client.engine.failure, client.engine.late = ModelFailed("it stopped"), True
    *_, error = events_of(client.ask(chat("What?", stream=True)))
    assert error == {
        "error": {"message": "it stopped", "type": "server_error", "param": None, "code": "ModelFailed"}
    }


def test_pieces_arrive_as_they_are_known() -> None:
    engine = FakeEngine()
    engine.held = True
    with running(create_app(engine)) as (address, _), httpx.Client(timeout=WAIT) as client:
        threading.Thread(target=begin, args=(engine,)).start()
        with client.stream("POST", address + CHAT, json=chat("What?", stream=True)) as reply:
            lines = (line for line in reply.iter_lines() if line)
            for words in ("A", " dog", "."):
                # The next word is told only when this one has been heard.
                assert any(json.dumps(words) in line for line in lines)
                engine.tickets[0].tell(Progress(Delta({"A": " dog", " dog": "."}.get(words, "!"))))
            engine.tickets[0].tell(Finished(answer_to(engine.asked[0])))
            assert list(lines)[-1] == "data: [DONE]"


def begin(engine: FakeEngine) -> None:
    """Tell the first word of the first question."""
    until(lambda: engine.tickets)
    engine.tickets[0].tell(Progress(Delta("A")))


@pytest.mark.parametrize("streamed", [False, True])
def test_a_question_is_taken_back_when_its_sender_goes(streamed: bool) -> None:
    engine = FakeEngine()
    engine.held = True
    with running(create_app(engine)) as (address, server):
        host, port = address.removeprefix("http://").split(":")
        body = json.dumps(chat("What?", stream=streamed)).encode()
        with socket.create_connection((host, int(port)), timeout=WAIT) as sock:
            head = f"POST {CHAT} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: engine.tickets)
            (ticket,) = engine.tickets
            if streamed:
                ticket.tell(Progress(Delta("A dog")))
                assert b"200 OK" in sock.recv(4096)
            assert not ticket.cancelled.is_set()
        assert ticket.cancelled.wait(WAIT)
        until(lambda: server.service.room.open == 0)


def test_a_reader_that_takes_nothing_loses_its_place() -> None:
    engine = FakeEngine()
    engine.held = True
    app = create_app(engine, limits=ServerLimits(stall_seconds=0.3))
    with running(app) as (address, server):
        host, port = address.removeprefix("http://").split(":")
        body = json.dumps(chat("What?", stream=True)).encode()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((host, int(port)))
            head = f"POST {CHAT} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: engine.tickets)
            (ticket,) = engine.tickets
            for _ in range(80):
                ticket.tell(Progress(Delta("dog " * 25_000)))
            assert ticket.cancelled.wait(WAIT)
            until(lambda: server.service.room.open == 0)


def test_an_answer_that_came_at_once_is_a_stream_all_the_same() -> None:
    engine = FakeEngine()

    def tell(ticket: Any) -> None:
        ticket.tell(Finished(answer_to(ticket.asked), prompt_tokens=1))

    engine.tell = tell  # type: ignore[method-assign]
    *pieces, end = events_of(Client(engine).ask(chat("What?", stream=True)))
    assert len(pieces) == 2 and end == "[DONE]"

"""A server of the format that ``deixis serve`` speaks: it answers without a network, and fails on demand."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deixis.answers.grounded import Answer, Place, Raw, Span
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.as_objects import region_of_object
from deixis.regions.names import escaped
from deixis.regions.shapes import Box, Region


@dataclass
class Fault:
    """What the server says instead of an answer. cut: bytes that are promised, but never sent."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


def refused(status: int, message: str, *, code: str | None = None, **headers: str) -> Fault:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status, json.dumps({"error": error}).encode(), named)


class FakeServer(ThreadingHTTPServer):
    """Answers "It is N." and points at a box; faults come first, one a request. digest: of its pictures."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[Fault] = []
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.digest: str | None = None
        self.broken_stream = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def asked_of(messages: list[dict[str, Any]]) -> tuple[Picture, str, dict[str, Region]]:
    """The picture, the last question and its regions."""
    urls = [
        part["image_url"]["url"]
        for message in messages
        if message["role"] == "user"
        for part in message["content"]
        if part["type"] == "image_url"
    ]
    (url,) = urls
    picture = open_picture(base64.b64decode(url.partition(";base64,")[2]))
    text, regions = "", {}
    for part in messages[-1]["content"]:
        match part["type"]:
            case "text":
                text += escaped(part["text"])
            case "region":
                given = dict(part["region"])
                name = given.pop("name")
                regions[name] = region_of_object(given, picture.frame)
                text += f"{{{name}}}"
    return picture, text, regions


def answer_to(content: dict[str, Any], number: int) -> Answer:
    """The answer to a request."""
    picture, text, regions = asked_of(content["messages"])
    place = Place(Box(1, 2, 20, 30, frame=picture.frame), 0.75)
    span = Span(0, 2, "It", (place,), nowhere_score=0.125)
    return Answer(
        f"It is {number}.", (span,), picture, "fake", 0.25, question=text, regions=tuple(regions.items()),
        raw=Raw("It is", (1, 2)), weights="f00d",
    )  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_GET(self) -> None:
        self.send_json({"object": "list", "data": [{"id": "pointer", "object": "model"}, {"id": "other"}]})

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(content)
        self.server.headers.append(dict(self.headers))
        if self.server.faults:
            self.fail(self.server.faults.pop(0))
            return
        answer = answer_to(content, len(self.server.requests)).to_dict()
        if self.server.digest is not None:
            answer["picture"]["digest"] = self.server.digest
        message = {
            "role": "assistant",
            "content": answer["text"],
            "places": answer["spans"],
            "answer": answer,
        }
        if content.get("stream"):
            self.stream(message)
        else:
            usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.send_json({"object": "chat.completion", "choices": [choice], "usage": usage})

    def stream(self, message: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in message["content"].split(" "):
            self.event({"choices": [{"index": 0, "delta": {"content": word + " "}}]})
            if self.server.broken_stream:
                return
        self.event({"choices": [{"index": 0, "delta": {"answer": message["answer"]}}]})
        self.wfile.write(b"data: [DONE]\n\n")

    def event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")

    def send_json(self, content: dict[str, Any]) -> None:
        self.fail(Fault(200, json.dumps(content).encode()))

    def fail(self, fault: Fault) -> None:
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(fault.body) + fault.cut))
        self.end_headers()
        self.wfile.write(fault.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[FakeServer]:
    """A server for as long as a test lasts."""
    with FakeServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()

"""An endpoint on this machine whose replies are made by a function, and which misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[dict[str, Any]], Any]


class FakeEndpoint(ThreadingHTTPServer):
    """Gives what ``reply`` makes of each request: words, or a whole message; keeps the requests.

    faults: statuses that are given first, one a request, in place of an answer; 0 closes the connection, -1
    sends half an answer. models: what is listed.
    """

    daemon_threads = True

    def __init__(self, reply: Reply, *, models: list[dict[str, Any]] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = reply
        self.models = [{"id": "seer"}] if models is None else models
        self.requests: list[dict[str, Any]] = []
        self.faults: list[int] = []
        self.key: str | None = None
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: FakeEndpoint

    def do_GET(self) -> None:
        self.say(200, {"data": self.server.models})

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            fault = self.server.faults.pop(0) if self.server.faults else 200
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        try:
            if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
                fault = 401
            if fault == 0:
                self.close_connection = True
                return
            if fault not in (200, -1):
                self.say(fault, {"error": {"message": f"status {fault} on demand"}})
                return
            said = self.server.reply(content)
            message = {"role": "assistant", "content": said} if isinstance(said, str) else said
            with self.server.lock:
                self.server.requests.append(content)
            usage = {"prompt_tokens": 10, "completion_tokens": 5}
            answer = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
            self.say(200, answer, cut=30 if fault == -1 else 0)
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def say(self, status: int, content: Any, *, cut: int = 0) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) - cut])

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(reply: Reply, **options: Any) -> Iterator[FakeEndpoint]:
    with FakeEndpoint(reply, **options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def text_of(request: dict[str, Any]) -> str:
    """The words of the last question."""
    return "".join(part["text"] for part in request["messages"][-1]["content"] if part["type"] == "text")

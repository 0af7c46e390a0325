"""What tests of the server share: an engine that answers as told, requests, and a server on a port."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from PIL import Image

from deixis.answers.grounded import Answer, Place, Raw, Span
from deixis.engine.policy import Delta
from deixis.errors import Cancelled, DeixisError
from deixis.regions.shapes import Box
from deixis.server.application import create_app
from deixis.server.running.graceful import GracefulServer
from deixis.server.running.listening import address_of, listening
from deixis.serving.asked import Asked, Failed, Finished, OnEvent, Progress
from deixis.serving.models import REGION_KINDS, ModelState
from deixis.serving.statistics import Histogram, Statistics

CHAT = "/v1/chat/completions"
WAIT = 20.0  # seconds after which a test is wrong, not slow


def png(width: int = 80, height: int = 60, seed: int = 0) -> bytes:
    """Return a picture of noise as PNG."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def data_url(encoded: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(encoded).decode("ascii")


def shown(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def region(**given: Any) -> dict[str, Any]:
    return {"type": "region", "region": given}


PICTURE = shown(data_url(png()))


def user(*parts: dict[str, Any] | str) -> dict[str, Any]:
    content = [text(part) if isinstance(part, str) else part for part in parts]
    return {"role": "user", "content": content}


def chat(*parts: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    """Return a request with one message about a picture."""
    return {"messages": [user(PICTURE, *parts)], **more}


def answer_to(asked: Asked) -> Answer:
    """Return an answer that points at a box of the first picture."""
    spans = ()
    if asked.pictures:
        box = Box(1, 2, 30, 40).bind(asked.pictures[0].frame)
        spans = (Span(2, 5, "dog", (Place(box, 0.75),), nowhere_score=0.25),)
    return Answer(
        text="A dog.",
        spans=spans,
        pictures=asked.pictures,
        system="fake",
        seconds=0.5,
        question=asked.question,
        regions=tuple(asked.regions.items()),
        raw=Raw("A <p>dog</p>.", (5, 6, 7), (-0.5, -0.25, -0.125) if asked.settings.logprobs else ()),
    )


class FakeTicket:
    def __init__(self, engine: FakeEngine, asked: Asked, on_event: OnEvent) -> None:
        self.engine, self.asked, self.on_event = engine, asked, on_event
        self.over = False
        self.cancelled = threading.Event()

    def tell(self, event: Progress | Finished | Failed) -> None:
        self.over = self.over or not isinstance(event, Progress)
        self.on_event(event)

    def cancel(self) -> None:
        self.cancelled.set()
        if not self.over:
            self.tell(Failed(Cancelled("the question was taken back")))


class FakeEngine:
    """Tells of an answer word by word, in a thread of its own; ``held`` questions wait for the test.

    refusal: what ``submit`` raises. failure: what questions fail of, after the first word if ``late``.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.tickets: list[FakeTicket] = []
        self.refusal: Exception | None = None
        self.failure: DeixisError | None = None
        self.late = False
        self.held = False
        self.answer: Callable[[Asked], Answer] = answer_to
        self.alive, self.died_of = True, None

    def submit(self, asked: Asked, on_event: OnEvent) -> FakeTicket:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        ticket = FakeTicket(self, asked, on_event)
        self.tickets.append(ticket)
        if not self.held:
            threading.Thread(target=self.tell, args=(ticket,)).start()
        return ticket

    def tell(self, ticket: FakeTicket) -> None:
        """Tell all of an answer, or why there is none."""
        if self.failure is not None and not self.late:
            ticket.tell(Failed(self.failure))
            return
        answer = self.answer(ticket.asked)
        ticket.tell(Progress(Delta("A dog")))
        if self.failure is not None:
            ticket.tell(Failed(self.failure))
            return
        ticket.tell(Progress(Delta("", answer.spans)))
        ticket.tell(Progress(Delta(".")))
        ticket.tell(Finished(answer, prompt_tokens=70, reused_tokens=64))

    def close(self) -> None:
        self.alive = False
        for ticket in self.tickets:
            if not ticket.over:
                ticket.cancel()

    def models(self) -> list[ModelState]:
        names = ("fake", "other")
        return [
            ModelState(
                name, "pointer", True, 12, REGION_KINDS, (1, 1), False, True, 5, default=name == "fake"
            )
            for name in names
        ]

    def statistics(self) -> Statistics:
        durations = Histogram((0.1, 1.0), (3, 2, 1), 4.5)
        return Statistics(
            {"answered": 5, "late": 1}, 2, {"writing": 3}, 4, first_token=durations, token=durations
        )


class Client:
    """Asks an application without a port, one request after the other."""

    def __init__(self, engine: Any = None, *, host: str = "localhost", **given: Any) -> None:
        self.engine = FakeEngine() if engine is None else engine
        self.app: FastAPI = create_app(self.engine, **given)
        self.base = f"http://{host}"

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, verify=False) as client:
                return await client.request(method, path, **given)

        return asyncio.run(asked())

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.request("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.request("POST", path, **given)

    def ask(self, content: Any, **given: Any) -> httpx.Response:
        return self.post(CHAT, json=content, **given)

    def asked(self, content: Any) -> Asked:
        """Return what the engine was asked."""
        reply = self.ask(content)
        assert reply.status_code == 200, reply.text
        return self.engine.asked[-1]

    def refused(self, content: Any, status: int = 400) -> dict[str, Any]:
        """Return the error of a request."""
        return error_of(self.ask(content), status)


def error_of(reply: httpx.Response, status: int) -> dict[str, Any]:
    """Return the error of a reply, which has OpenAI's shape whatever it is."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    (name, error), *rest = reply.json().items()
    assert name == "error" and not rest and set(error) == {"message", "type", "param", "code"}
    return error


@contextmanager
def running(
    app: FastAPI, *, grace: float = 5.0, host: str = "127.0.0.1"
) -> Iterator[tuple[str, GracefulServer]]:
    """Answer on a free port in a thread; yields the address, and the server."""
    ready = threading.Event()
    server = GracefulServer(app, grace=grace, ready=ready.set)
    with listening(host, 0) as sock:
        address = address_of(sock)
        thread = threading.Thread(target=lambda: server.run(sockets=[sock]))
        thread.start()
        try:
            assert ready.wait(WAIT)
            yield address, server
        finally:
            server.end()
            thread.join(WAIT)
            assert not thread.is_alive()


def until(what: Callable[[], object]) -> None:
    """Wait until something holds."""
    waited = threading.Event()
    for _ in range(int(WAIT / 0.01)):
        if what():
            return
        waited.wait(0.01)
    raise AssertionError("it never came to hold")

"""Clients that ask, attack, and leave in the middle; outcomes are counted, unexpected ones are kept."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.soak.hostile import ATTACKS, CHAT, JSON, Attack
from tests.soak.questions import question

PATIENCE = 120.0  # seconds
BUSY = (429, 503)
HOSTILE, LEAVING = 0.1, 0.1  # shares of requests


@dataclass
class Tally:
    """What came of all requests, counted by many threads. seconds: of answers, by model."""

    counts: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    number: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> int:
        """Return a number that nobody else gets."""
        with self.lock:
            self.number += 1
            return self.number

    def add(self, outcome: str, *, wrong: str = "", model: str = "", seconds: float = 0.0) -> None:
        """Count an outcome; wrong: why it should not have come. model: that answered, in so many seconds."""
        with self.lock:
            self.counts[outcome] += 1
            if wrong:
                self.unexpected.append(f"{outcome}: {wrong}"[:300])
            if model:
                self.seconds[model].append(seconds)


def client(port: int, tally: Tally, *, seed: int, until: float) -> None:
    """Make requests of all kinds, one after the other, until a moment."""
    chance = random.Random(seed)
    while time.monotonic() < until:
        kind = chance.random()
        try:
            if kind < HOSTILE:
                attack(port, tally, chance.choice(ATTACKS))
            elif kind < HOSTILE + LEAVING:
                leave(port, tally, chance)
            else:
                ask(port, tally, chance)
        except Exception as fault:
            tally.add("fault", wrong=f"{type(fault).__name__}: {fault}")


def sent(port: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Send a chat completion; return status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST", CHAT, json.dumps(body), JSON)
        reply = connection.getresponse()
        return reply.status, dict(reply.headers), reply.read()
    finally:
        connection.close()


def ask(port: int, tally: Tally, chance: random.Random) -> None:
    """Ask a sound question, whole or as a stream; the answer has to be whole and in form."""
    body = question(chance, fresh=tally.next())
    began = time.monotonic()
    status, headers, said = sent(port, body)
    if status in BUSY and "retry-after" in {name.lower() for name in headers}:
        tally.add("busy")
        time.sleep(0.2)
        return
    kind = "streamed" if body["stream"] else "answered"
    wrong = "" if status == 200 else f"status {status} for {body['model']}: {said[:200]!r}"
    if not wrong and body["stream"]:
        wrong = wrong_stream(said)
    elif not wrong:
        message = json.loads(said)["choices"][0]["message"]
        wrong = "" if message["answer"]["text"] == message["content"] else "content isn't the answer's text"
    tally.add(kind, wrong=wrong, model=body["model"], seconds=time.monotonic() - began)


def wrong_stream(said: bytes) -> str:
    """Return what is wrong with a stream, empty for a sound one."""
    events = [one.removeprefix(b"data: ") for one in said.split(b"\n\n") if one]
    if not events or events[-1] != b"[DONE]":
        return f"a stream ends with {said[-200:]!r}"
    deltas = [json.loads(one)["choices"][0]["delta"] for one in events[:-1]]
    text = "".join(delta.get("content") or "" for delta in deltas)
    return "" if deltas[-1]["answer"]["text"] == text else "a stream's deltas aren't its answer"


def attack(port: int, tally: Tally, one: Attack) -> None:
    """Make a hostile request; it has to be refused in a sentence."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(one.method, one.path, one.content, one.headers)
        reply = connection.getresponse()
        said = reply.read()
    finally:
        connection.close()
    if reply.status in BUSY and reply.headers.get("Retry-After"):
        tally.add("busy")
        return
    wrong = ""
    if not 400 <= reply.status < 500:
        wrong = f"status {reply.status}: {said[:150]!r}"
    elif not json.loads(said)["error"]["message"]:
        wrong = "refused without a sentence"
    tally.add("refused", wrong=f"{one.name}: {wrong}" if wrong else "")


def leave(port: int, tally: Tally, chance: random.Random) -> None:
    """Go away: within the request, before the answer, or within it."""
    body = json.dumps(question(chance, fresh=tally.next()) | {"stream": True, "max_tokens": 60}).encode()
    fields = [f"POST {CHAT} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    head = "\r\n".join([*fields, f"Content-Length: {len(body)}", "", ""])
    how = chance.choice(("within the request", "before the answer", "within the answer"))
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as own:
        own.sendall(head.encode())
        own.sendall(body[: len(body) // 2] if how == "within the request" else body)
        if how == "within the answer":
            own.recv(300)
        elif how == "before the answer":
            time.sleep(chance.uniform(0, 0.3))
    tally.add(f"left {how}")

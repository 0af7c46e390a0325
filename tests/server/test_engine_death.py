"""The engine's thread dies while it answers: whoever waits is told, and the server says so from then on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from deixis.engine.sampling import Sampler
from deixis.engine.settings import Settings
from tests.client.real_server import Running, serving
from tests.server.asking import CHAT, WAIT, chat, error_of, until
from tests.soak.served import kill_engine
from tests.systems.pointer.tiny import tiny_system


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Running, threading.Event]]:
    """A server whose answers stand still at their third token until the event is set."""
    go, real, system = threading.Event(), Sampler.choose, tiny_system()
    with serving({"tiny": system}) as server:
        assert httpx.post(server.address + CHAT, json=body(), timeout=WAIT).status_code == 200
        counts: dict[int, int] = {}

        def slowly(own: Sampler, logits: Any) -> int:
            counts[id(own)] = counts.get(id(own), 0) + 1
            if counts[id(own)] > 2:
                go.wait(WAIT)
            return real(own, logits)

        monkeypatch.setattr(Sampler, "choose", slowly)
        yield server, go
        go.set()


def body(**more: Any) -> dict[str, Any]:
    return chat("Where is the dog?", max_tokens=Settings().max_new_tokens, **more)


def test_open_requests_get_an_error_and_health_says_503(dying: tuple[Running, threading.Event]) -> None:
    server, go = dying
    with ThreadPoolExecutor(3) as threads:
        bodies = [body(), body(stream=True), body(stream=True)]
        waiting = [
            threads.submit(httpx.post, server.address + CHAT, json=one, timeout=WAIT) for one in bodies
        ]
        until(lambda: sum(server.engine.statistics().open.values()) == len(bodies))
        kill_engine(server.engine)
        until(lambda: not server.engine.alive)
        go.set()
        whole, *streams = [one.result(WAIT) for one in waiting]
    assert "has died of RuntimeError" in error_of(whole, 503)["message"]
    for reply in streams:
        if reply.status_code != 200:  # nothing of it was written yet
            assert "has died of RuntimeError" in error_of(reply, 503)["message"]
            continue
        events = [one.removeprefix("data: ") for one in reply.text.split("\n\n") if one]
        assert "[DONE]" not in events, "a stream that breaks off doesn't end as a whole one does"
        assert "has died of RuntimeError" in json.loads(events[-1])["error"]["message"]
    health = httpx.get(server.address + "/health")
    assert health.status_code == 503 and health.json()["status"] == "dead"
    assert "RuntimeError" in health.json()["reason"]
    assert (
        "has died" in error_of(httpx.post(server.address + CHAT, json=body(), timeout=WAIT), 503)["message"]
    )
    assert httpx.get(server.address + "/v1/models").status_code == 200

"""A replica is asked by method call; what it answers, and what happens when nobody waits any more."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deixis.errors import UsageError
from deixis.server.replicas.deploying import RayOptions
from deixis.server.replicas.replica import Message, Replica, Served
from tests.server.replicas.small_app import small_app


def scope(path: str, method: str = "POST") -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("::1", 5),
        "headers": [(b"host", b"here"), (b"content-type", b"application/json")], "server": ("here", 80),
    }  # fmt: skip


async def answer(replica: Replica, path: str, content: Any = None, method: str = "POST") -> tuple[int, bytes]:
    body = b"" if content is None else json.dumps(content).encode()
    begin, *rest = [message async for message in replica.answer("", scope(path, method), body)]
    return begin["status"], b"".join(one["body"] for one in rest)


def test_a_whole_answer_and_a_stream() -> None:
    async def run() -> None:
        replica = Replica(small_app)
        status, said = await answer(replica, "/v1/chat/completions", {"messages": [1]})
        assert status == 200 and json.loads(said)["host"] == "here"
        _, events = await answer(replica, "/v1/chat/completions", {"messages": [1], "stream": 2})
        assert events.count(b"data: ") == 3
        assert (await answer(replica, "/none"))[0] == 404

    asyncio.run(run())


def test_leaving_a_stream_ends_it_in_the_application() -> None:
    async def run() -> None:
        replica = Replica(small_app)
        body = json.dumps({"messages": [1], "stream": 1000}).encode()
        messages = replica.answer("", scope("/v1/chat/completions"), body)
        taken: list[Message] = [await anext(messages) for _ in range(3)]
        assert taken[0]["status"] == 200
        await messages.aclose()  # type: ignore[attr-defined]
        _, said = await answer(replica, "/gone", method="GET")
        assert json.loads(said)["gone"] == 1

    asyncio.run(run())


def test_what_an_application_raises_is_raised() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError):
        asyncio.run(answer(Replica(lambda: Served(broken)), "/"))


def test_a_dead_engine_is_no_healthy_replica() -> None:
    Replica(lambda: Served(None)).check_health()
    with pytest.raises(RuntimeError, match="has died"):
        Replica(lambda: Served(None, alive=lambda: False)).check_health()


def test_options_of_ray() -> None:
    assert RayOptions(replicas=3).scaling == {"num_replicas": 3}
    assert RayOptions(replicas=1, most_replicas=4, target_requests=2).scaling == {
        "autoscaling_config": {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 2}
    }


@pytest.mark.parametrize(
    "wrong", [{"replicas": 0}, {"replicas": 3, "most_replicas": 2}, {"gpus": -1}, {"cpus": float("nan")}]
)
def test_options_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RayOptions(**wrong)

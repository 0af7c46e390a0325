"""Who may ask, by which name, from which pages, and how much at a time; and what is written down of it."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from deixis.errors import UsageError
from deixis.server.application import create_app
from deixis.server.guards import keys as keys_module
from deixis.server.guards.keys import Keys
from deixis.server.limits import ServerLimits
from tests.server.asking import CHAT, WAIT, Client, FakeEngine, chat, error_of, png, running, until

SECRETS = ("first-secret-key", "second-secret-key")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/fake", "/metrics", "/openapi.json", "/absent"])
def test_all_paths_but_health_ask_for_a_key(path: str) -> None:
    client = Client(keys=Keys(SECRETS))
    reply = client.get(path)
    assert error_of(reply, 401)["code"] == "invalid_api_key"
    assert reply.headers["www-authenticate"] == "Bearer"
    for wrong in ("", "third-secret-key", SECRETS[0][:-1], SECRETS[0] + "x", "é" * 9):
        given = {"Authorization": f"Bearer {wrong}".encode("latin-1")}
        assert client.get(path, headers=given).status_code == 401
    assert client.get(path, headers={"Authorization": SECRETS[0]}).status_code == 401
    for key in SECRETS:
        assert client.get(path, headers=bearer(key)).status_code != 401
    assert client.get("/health").status_code == 200


def test_questions_say_whose_they_are() -> None:
    client = Client(keys=Keys(SECRETS))
    assert client.ask(chat("What?"), headers=bearer(SECRETS[1])).status_code == 200
    assert client.engine.asked[-1].who == "key 2"
    assert Client().asked(chat("What?")).who == "127.0.0.1"


def test_the_answer_to_a_wrong_key_does_not_repeat_it() -> None:
    reply = Client(keys=Keys(SECRETS)).get("/v1/models", headers=bearer("a-wrong-secret"))
    assert "a-wrong-secret" not in reply.text


def test_keys_are_read_again_when_their_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keys_module, "LOOK_EVERY", 0.0)
    file = tmp_path / "keys"
    file.write_text(f"# of tests\n\n  {SECRETS[0]}\n")
    keys = Keys.from_file(file)
    assert (keys.owner(SECRETS[0]), keys.owner(SECRETS[1])) == ("key 1", None)
    file.write_text("\n".join(SECRETS))
    assert keys.owner(SECRETS[1]) == "key 2"
    file.write_text("")  # a mistake leaves what is known
    assert keys.owner(SECRETS[1]) == "key 2" and "the keys stay as they are" in caplog.text
    os.unlink(file)
    assert keys.owner(SECRETS[0]) == "key 1"
    file.write_text(SECRETS[1])
    assert (keys.owner(SECRETS[0]), keys.owner(SECRETS[1])) == (None, "key 1")
    assert not any(secret in caplog.text for secret in SECRETS)


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "short", "has a space in it", "ünprintable-key", "x" * 501]
)
def test_files_that_hold_no_keys(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(UsageError) as told:
        Keys.from_file(tmp_path / "keys")
    assert not content or content.strip() not in str(told.value)
    with pytest.raises(UsageError, match="can't be read"):
        Keys.from_file(tmp_path / "absent")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST."])
def test_names_of_loopback_are_let_in(host: str) -> None:
    assert Client().get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1", "10.0.0.1"]
)
def test_other_names_are_turned_away(host: str) -> None:
    client = Client()
    error = error_of(client.get("/health", headers={"Host": host}), 421)
    assert "localhost" in error["message"] and "evil" not in error["message"]
    assert error_of(client.ask(chat("What?"), headers={"Host": host}), 421) and not client.engine.asked
    assert Client(hosts=None).get("/health", headers={"Host": host}).status_code == 200


def test_two_names_are_none() -> None:
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert Client().get("/health", headers=headers).status_code == 421


def test_pages_of_other_origins_are_not_let_in_unless_told() -> None:
    ask = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    closed = Client().request("OPTIONS", CHAT, headers=ask)
    assert closed.status_code == 405 and "access-control-allow-origin" not in closed.headers
    client = Client(origins=["https://page.example"], keys=Keys(SECRETS))
    assert (
        client.request("OPTIONS", CHAT, headers=ask).headers["access-control-allow-origin"] == ask["Origin"]
    )
    other = client.request("OPTIONS", CHAT, headers=ask | {"Origin": "https://evil.example"})
    assert other.status_code == 400 and "access-control-allow-origin" not in other.headers
    refused = client.ask(chat("What?"), headers={"Origin": ask["Origin"]})
    assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == ask["Origin"]


def further() -> APIRouter:
    routes = APIRouter()

    @routes.get("/page/{name}")
    async def page(name: str) -> dict[str, str]:
        return {"name": name}

    @routes.get("/number/{count}")
    async def number(count: int) -> dict[str, int]:
        return {"count": count}

    return routes


def test_further_routes_are_guarded_unless_they_are_open() -> None:
    assert Client(routers=[further()]).get("/page/a").json() == {"name": "a"}
    closed = Client(routers=[further()], keys=Keys(SECRETS))
    assert closed.get("/page/a").status_code == 401
    opened = Client(routers=[further()], keys=Keys(SECRETS), open_paths=("/page/",))
    assert opened.get("/page/a").status_code == 200
    assert opened.get("/page").status_code == 401 and opened.get("/number/1").status_code == 401
    error = error_of(opened.get("/number/one", headers=bearer(SECRETS[0])), 422)
    assert "should be a valid integer" in error["message"]
    assert "/page/{name}" in Client(routers=[further()]).get("/openapi.json").json()["paths"]


def hold_questions(address: str, engine: FakeEngine, count: int, **given: Any) -> list[threading.Thread]:
    """Ask questions that wait for the test."""
    engine.held = True
    before = len(engine.tickets)
    threads = [
        threading.Thread(target=httpx.post, args=(address + CHAT,), kwargs={"timeout": WAIT, **given})
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(engine.tickets) == before + count)
    return threads


def test_requests_are_bounded_for_each_and_for_all() -> None:
    engine = FakeEngine()
    app = create_app(engine, keys=Keys(SECRETS), limits=ServerLimits(requests=3, requests_each=2))
    with running(app) as (address, server):
        given = {"json": chat("What?"), "headers": bearer(SECRETS[0])}
        threads = hold_questions(address, engine, 2, **given)
        mine = httpx.post(address + CHAT, **given)
        assert error_of(mine, 429)["type"] == "rate_limit_error" and mine.headers["retry-after"] == "1"
        given["headers"] = bearer(SECRETS[1])
        threads += hold_questions(address, engine, 1, **given)
        yours = httpx.post(address + CHAT, **given)
        assert "3 requests are open" in error_of(yours, 503)["message"]
        assert yours.headers["retry-after"] == "1"
        assert httpx.get(address + "/v1/models", headers=given["headers"]).status_code == 200
        for ticket in list(engine.tickets):
            engine.tell(ticket)
        for thread in threads:
            thread.join(WAIT)
        engine.held = False
        assert httpx.post(address + CHAT, **given).status_code == 200
        until(lambda: server.service.room.open == 0)
        assert server.service.room.held == 0


def test_the_memory_of_all_requests_is_bounded() -> None:
    encoded = png()
    limits = ServerLimits(held_bytes=30_000)
    engine = FakeEngine()
    with running(create_app(engine, limits=limits)) as (address, server):
        given = {"json": chat("What?")}
        threads = hold_questions(address, engine, 1, **given)
        assert server.service.room.held == 80 * 60 * 3  # its pixels; its body is gone
        full = httpx.post(address + CHAT, **given)
        assert "hold more than 30,000 bytes" in error_of(full, 503)["message"]
        engine.tell(engine.tickets[0])
        threads[0].join(WAIT)
        until(lambda: server.service.room.held == 0)
    assert len(encoded) < 30_000


def test_room_is_given_back_whatever_happens() -> None:
    client = Client()
    client.refused({"messages": []})
    client.engine.refusal = RuntimeError("unexpected")
    client.refused(chat("What?"), 500)
    room = client.app.state.service.room
    assert (room.open, room.held) == (0, 0)


def test_a_line_for_each_request_without_pictures_keys_or_questions(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deixis")
    client = Client(keys=Keys(SECRETS))
    client.ask(chat("a private question"), headers=bearer(SECRETS[0]))
    client.post("/v1/pictures", content=png(), headers={"Content-Type": "image/png"} | bearer(SECRETS[1]))
    client.get(f"/absent/{SECRETS[0]}?key={SECRETS[0]}", headers=bearer(SECRETS[0]))
    client.get("/v1/models?private", headers=bearer("a-wrong-secret"))
    client.get("/v1/models/private", headers=bearer(SECRETS[0]))
    lines = [record.getMessage() for record in caplog.records if record.name == "deixis"]
    begins = [line.partition(" 0.")[0] for line in lines]
    assert begins == [
        "POST /v1/chat/completions 200",
        "POST /v1/pictures 200",
        "GET no route 404",
        "GET no route 401",
        "GET /v1/models/{model:path} 404",
    ]
    who = [line.rpartition(", ")[2] for line in lines]
    assert who == ["key 1", "key 2", "key 1", "127.0.0.1", "key 1"]
    told = "\n".join(lines)
    for private in ("secret", "private", "dog", "base64", "absent"):
        assert private not in told


@pytest.mark.parametrize(
    "wrong", [{"pixels": 0}, {"tokens": 2000}, {"deadline": -1}, {"requests": 1.5}, {"messages": True}]
)
def test_limits_are_numbers_in_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"the server's limit {next(iter(wrong))} is"):
        ServerLimits(**wrong)

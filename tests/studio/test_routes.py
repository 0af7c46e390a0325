"""The studio's routes, and the same before a server elsewhere, asked without a browser."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from deixis.studio.relay import Upstream, create_relay
from tests.studio.browser import Served, free_port
from tests.studio.desk import picture

QUESTION = {"model": "tiny", "question": "Where is the dog?", "regions": {}}


@pytest.fixture(scope="session")
def relayed(real: Served) -> Iterator[Served]:
    served = Served(create_relay(Upstream(f"http://127.0.0.1:{real.port}/v1")))
    yield served
    served.kill()


@pytest.fixture(params=["own", "elsewhere"])
def client(request: Any, real: Served, relayed: Served) -> Iterator[httpx.Client]:
    served = real if request.param == "own" else relayed
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=60) as client:
        yield client


def uploaded(client: httpx.Client, content: bytes) -> dict[str, Any]:
    reply = client.post("/v1/pictures", content=content, headers={"Content-Type": "image/png"})
    return dict(reply.raise_for_status().json())


def asked(client: httpx.Client, known: dict[str, Any]) -> dict[str, Any]:
    content = [
        {"type": "image_url", "image_url": {"url": f"picture:{known['id']}"}},
        {"type": "text", "text": "where is the dog?"},
    ]
    body = {"model": "tiny", "stream": True, "messages": [{"role": "user", "content": content}]}
    with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        assert reply.status_code == 200
        events = [line.removeprefix("data: ") for line in reply.iter_lines() if line]
    assert events[-1] == "[DONE]"
    return dict(json.loads(events[-2])["choices"][0]["delta"]["answer"])


def test_a_question_is_asked_and_its_answer_exported(client: httpx.Client) -> None:
    assert {one["id"] for one in client.get("/v1/models").json()["data"]} == {"pointer", "tiny"}
    assert client.get("/health").json()["status"] == "ok"
    known = uploaded(client, picture(64, 48))
    answer = asked(client, known)
    turn = {"all": False, "answers": [{"model": "tiny", "checked": False, "answer": answer}]}
    given = {"pictures": [{"id": known["id"], "name": "a.png", "regions": {}, "turns": [turn]}]}
    for form in ("answers", "conversation", "coco", "label_studio", "records", "drawn"):
        reply = client.post(f"/studio/export/{form}", json=given)
        assert reply.status_code == 200, reply.text
        assert reply.headers["Content-Disposition"].startswith("attachment")
    shown = client.get(f"/studio/pictures/{known['id']}").content
    assert np.asarray(Image.open(io.BytesIO(shown))).shape == (48, 64, 3)


def test_looks_are_shown_where_the_model_runs(client: httpx.Client) -> None:
    known = uploaded(client, picture(64, 48))
    asked(client, known)  # the model is loaded
    reply = client.post("/studio/seen", json=QUESTION | {"picture": known["id"]})
    if client.get("/studio/about").json()["looks"]:
        assert reply.json()["pictures"][0]["png"]
    else:
        assert reply.status_code == 400 and "another server" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (
            "export/coco",
            {"pictures": [{"id": "no", "name": "a", "regions": {}, "turns": []}]},
            404,
            "not kept",
        ),
        ("export/yolo", {"pictures": []}, 400, "no export"),
        ("export/coco", {"pictures": []}, 400, "no answer to export"),
        ("export/coco", {"pictures": 3}, 400, "a list"),
        ("export/coco", [], 400, "an object"),
        ("conversation", {"format": 1}, 400, "missing"),
        ("seen", QUESTION | {"picture": "no"}, 404, "not kept"),
        ("why", QUESTION | {"picture": 3}, 400, "a string"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    real: Served, path: str, body: Any, status: int, message: str
) -> None:
    reply = httpx.post(f"{real.address}{path}", json=body)
    assert (reply.status_code, message in reply.json()["error"]["message"]) == (status, True), reply.text


def test_forms_of_other_pages_are_refused(real: Served) -> None:
    reply = httpx.post(f"{real.address}conversation", content="{}", headers={"Content-Type": "text/plain"})
    assert reply.status_code == 415
    reply = httpx.post(f"{real.address}conversation", json={}, headers={"Host": "evil.example"})
    assert reply.status_code == 421


def test_a_server_that_is_not_there_is_said() -> None:
    served = Served(create_relay(Upstream(f"http://127.0.0.1:{free_port()}")))
    reply = httpx.get(f"http://127.0.0.1:{served.port}/v1/models")
    assert reply.status_code == 502 and "can't be reached" in reply.json()["error"]["message"]
    served.kill()

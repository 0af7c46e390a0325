"""Health, models, metrics and the schema."""

from __future__ import annotations

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deixis.server.openapi import schema_of
from tests.server.asking import CHAT, Client, chat


def test_health() -> None:
    client = Client()
    assert client.get("/health").json() == {"status": "ok", "reason": None}
    client.app.state.service.room.closing = True
    closing = client.get("/health")
    assert closing.status_code == 503 and closing.json()["status"] == "closing"
    client.engine.alive, client.engine.died_of = False, "RuntimeError: out of luck"
    dead = client.get("/health")
    assert dead.status_code == 503
    assert dead.json() == {"status": "dead", "reason": "RuntimeError: out of luck"}


def test_no_new_requests_while_it_closes() -> None:
    client = Client()
    client.app.state.service.room.closing = True
    assert client.refused(chat("What?"), 503)["code"] == "closing"
    assert client.get("/v1/models").status_code == 200


def test_models() -> None:
    client = Client()
    listed = client.get("/v1/models").json()
    assert [one["id"] for one in listed["data"]] == ["fake", "other"]
    assert listed["data"][0]["deixis"]["region_kinds"] == ["point", "box", "polygon", "scribble", "mask"]
    assert client.get("/v1/models/other").json() == listed["data"][1]
    unknown = client.get("/v1/models/a/b")
    assert unknown.status_code == 404 and "known models: fake, other" in unknown.json()["error"]["message"]


def test_metrics_are_read_by_prometheus() -> None:
    client = Client()
    client.ask(chat("What?"))
    client.get("/absent/path")
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }
    asked = {"method": "POST", "path": CHAT, "status": "200"}
    lost = {"method": "GET", "path": "no route", "status": "404"}
    expected = [
        ("deixis_alive", {}, 1),
        ("deixis_questions_total", {"outcome": "answered"}, 5),
        ("deixis_questions_total", {"outcome": "refused"}, 2),
        ("deixis_open_questions", {"stage": "writing"}, 3),
        ("deixis_queue_length", {}, 4),
        ("deixis_tokens_written_total", {}, 0),
        ("deixis_held_bytes", {"what": "prefixes"}, 0),
        ("deixis_first_token_seconds_bucket", {"le": "0.1"}, 3),
        ("deixis_first_token_seconds_bucket", {"le": "1.0"}, 5),
        ("deixis_first_token_seconds_bucket", {"le": "+Inf"}, 6),
        ("deixis_first_token_seconds_sum", {}, 4.5),
        ("deixis_http_requests_total", asked, 1),
        ("deixis_http_requests_total", lost, 1),
    ]
    for name, labels, value in expected:
        assert found[name, tuple(sorted(labels.items()))] == value, name


def test_the_schema_describes_what_comes_back() -> None:
    client = Client()
    schema = client.get("/openapi.json").json()
    assert schema == schema_of(client.app, keys=None) and "securitySchemes" not in schema["components"]
    forms = {
        "ChatCompletion": client.ask(chat("What?", logprobs=True)).json(),
        "ErrorReply": client.ask({}).json(),
        "ModelList": client.get("/v1/models").json(),
        "Health": client.get("/health").json(),
    }
    for form, content in forms.items():
        whole = {"$ref": f"#/components/schemas/{form}", "components": schema["components"]}
        jsonschema.validate(content, whole)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({}, whole)


def test_the_schema_of_a_request_takes_what_the_server_takes() -> None:
    schema = Client().get("/openapi.json").json()
    whole = {"$ref": "#/components/schemas/ChatRequest", "components": schema["components"]}
    good = chat("What is ", {"type": "region", "region": {"box": [0, 0, 1, 1], "frame": "unit"}}, "?", n=1)
    jsonschema.validate(good, whole)
    for wrong in ({"n": 2}, {"best_of": 2}, {"messages": []}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(good | wrong, whole)


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    import json
    import re

    schema = Client().get("/openapi.json").json()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)))
    assert named <= set(schema["components"]["schemas"]) and "x-part" not in json.dumps(schema)
    assert {"Region", "Answer", "ChatRequest", "ChatCompletion", "ErrorReply"} <= named

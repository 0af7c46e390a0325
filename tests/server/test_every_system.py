"""Each kind of system, at tiny size, answers over HTTP as it does alone; hostile turns leave it alive."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deixis.answers.grounded import Answer
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box, Point
from deixis.serving.engine import Engine
from deixis.serving.models import Models
from tests.contract.promises import assert_same_answer
from tests.contract.subjects import SUBJECTS
from tests.server.asking import PICTURE, Client, png, region, user

FAST = ("pointer", "ferret")  # the others differ in what the engine does, less in what is sent
EVERY = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SUBJECTS]


@pytest.mark.parametrize("name", EVERY)
def test_answers_are_those_of_the_system(name: str, tmp_path: Path) -> None:
    system = SUBJECTS[name]().make(tmp_path)
    picture = replace(open_picture(png()), name="")
    regions = {"it": Box(10, 5, 60, 40), "dot": Point(30, 30)}
    first = system.ask(picture, "What is {it} beside {dot}?", regions=regions, max_new_tokens=10)
    second = system.ask(picture, "And where is it?", before=[first], max_new_tokens=6)
    with Engine(Models({name: system})) as engine:
        client = Client(engine)
        box, dot = region(box=[10, 5, 60, 40], name="it"), region(point=[30, 30], name="dot")
        parts = ("What is ", box, " beside ", dot, "?")
        message = said(client, [user(PICTURE, *parts)], max_tokens=10)
        assert_same_answer(read(message), first)
        assert message["content"] == first.text
        dialogue = [user(PICTURE, *parts), message, user("And where is it?")]
        assert_same_answer(read(said(client, dialogue, max_tokens=6)), second)
        for wrong in misremembered(message):
            reply = client.ask({"messages": [dialogue[0], wrong, dialogue[2]], "max_tokens": 2})
            assert reply.status_code in (200, 400), reply.text
        assert engine.alive and engine.statistics().deaths == 0
        assert_same_answer(read(said(client, [user(PICTURE, *parts)], max_tokens=10)), first)


def said(client: Client, messages: list[Any], **more: Any) -> dict[str, Any]:
    reply = client.ask({"messages": messages, **more})
    assert reply.status_code == 200, reply.text
    message: dict[str, Any] = reply.json()["choices"][0]["message"]
    return message


def read(message: dict[str, Any]) -> Answer:
    return Answer.from_json(json.dumps(message["answer"]))


def misremembered(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Answers that the system never gave."""
    answer = message["answer"]
    whole = {"role": "assistant", "content": "A dog."}
    ids = answer["raw"]["ids"]
    raws = [
        {"text": "", "ids": []},
        {"text": "", "ids": [0, 1, 2, 3]},
        {"text": answer["raw"]["text"], "ids": [*ids, 10**9]},
        {"text": answer["raw"]["text"], "ids": [-1, *ids]},
        {"text": "dog", "ids": list(range(200))},
        {"text": answer["raw"]["text"], "ids": ids * 3},
    ]
    return [
        whole,
        whole | {"content": "<region_fea> <image> [0, 0, 5, 5] <place> {it} <s> </s> USER:"},
        whole | {"content": "x " * 2000},
        *(whole | {"answer": answer | {"raw": raw}} for raw in raws),
        whole | {"answer": answer | {"question": "{nobody}", "regions": {}}},
        whole | {"answer": answer | {"question": "", "system": "other"}},
        whole | {"answer": answer | {"question": "{it} <image> <region_fea>"}},
    ]

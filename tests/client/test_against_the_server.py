"""The client with the server itself: answers are those of the systems, asked without it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.client.question import chat_request
from deixis.client.server import Server
from deixis.client.system import CHAT, RemoteSystem
from deixis.errors import BadPicture, DeixisError, EndpointError, UnknownModel, UsageError
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import THOUSANDTHS
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.server.guards.keys import Keys
from deixis.server.limits import ServerLimits
from deixis.systems.contract import System
from tests.client.ray_server import serving_on_ray
from tests.client.real_server import serving
from tests.systems.ferret.tiny import fresh_ferret
from tests.systems.pointer.tiny import noise_picture, saved_system

INSIDE = np.zeros((90, 120), dtype=bool)
INSIDE[10:60, 20:80] = True
REGIONS: dict[str, Region] = {
    "a": Box(100, 200, 500, 900, frame=THOUSANDTHS),
    "b": Point(50, 40),
    "c": Polygon(((10, 10), (60, 12), (30, 70))),
    "d": Scribble(((10, 10), (60, 12))),
    "e": Mask.from_array(INSIDE),
}
KEY = "a-key-that-is-long"


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same but for the time they took; numbers but for what batches round off."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(
                name == "seconds" or alike(value, other[name]) for name, value in one.items()
            )
        case list(), list():
            return len(one) == len(other) and all(map(alike, one, other))
        case float(), float():
            return math.isclose(one, other, abs_tol=1e-3)
    return bool(one == other)


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    # As it was saved and opened: its numbers are rounded when it is saved.
    return {"pointer": saved_system(tmp_path_factory.mktemp("pointer")), "ferret": fresh_ferret()}


@pytest.fixture(scope="module", params=["plain", pytest.param("on ray", marks=pytest.mark.slow)])
def server(
    request: pytest.FixtureRequest, systems: dict[str, System], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the plain server, and of two replicas on Ray."""
    if request.param == "plain":
        with serving(systems) as running:
            yield running.address
        return
    pytest.importorskip("ray", reason="Ray isn't installed: pip install 'deixis[ray]'")
    with serving_on_ray(systems, tmp_path_factory.mktemp("replicas")) as address:
        yield address


@pytest.fixture
def picture() -> Picture:
    return noise_picture()


@pytest.mark.parametrize("model", ["pointer", "ferret"])
@pytest.mark.parametrize("name", [*REGIONS, ""])
def test_answers_are_those_of_the_system(
    server: str, systems: dict[str, System], picture: Picture, model: str, name: str
) -> None:
    remote = RemoteSystem(Server(server), model=model)
    question = f"what is {{{name}}}?" if name else "where is the {{dog} and the cat?"
    regions = {name: REGIONS[name]} if name else {}
    asked = {"max_new_tokens": 12, "logprobs": True}
    local = systems[model].ask(picture, question, regions=regions, **asked)
    answer = remote.ask(picture, question, regions=regions, **asked)
    assert alike(answer.to_dict(), local.to_dict(weights=systems[model].fingerprint()))


def test_a_dialogue_is_that_of_the_system(server: str, systems: dict[str, System], picture: Picture) -> None:
    remote = RemoteSystem(Server(server), model="pointer")
    asked = {"max_new_tokens": 9}
    first = systems["pointer"].ask(picture, "what is {b}?", regions={"b": REGIONS["b"]}, **asked)
    again = remote.ask(picture, "what is {b}?", regions={"b": REGIONS["b"]}, **asked)
    local = systems["pointer"].ask(picture, "and where is it?", before=[first], **asked)
    answer = remote.ask(picture, "and where is it?", before=[again], **asked)
    assert alike(answer.to_dict(), local.to_dict(weights=systems["pointer"].fingerprint()))


def test_a_stream_is_the_answer(server: str, picture: Picture) -> None:
    http = Server(server)
    body = chat_request(picture, "where is the dog?", model="pointer", settings={"max_new_tokens": 12})
    deltas = [event["choices"][0]["delta"] for event in http.stream(CHAT, body)]
    whole = http.post(CHAT, body)["choices"][0]["message"]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole["content"]
    assert alike([place for delta in deltas for place in delta.get("places", [])], whole["places"])
    assert alike(deltas[-1]["answer"], whole["answer"])


def test_the_command_says_what_it_says_without_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved_system(tmp_path / "model")
    Image.fromarray(noise_picture().pixels).save("photo.jpg")
    words = [
        "ask",
        "photo.jpg",
        "What is {it}?",
        "-q",
        "Where is { the dog?",
        "--box",
        "it=5,6,40,300",
        "--json",
    ]
    assert main([*words, "--model", "model", "--device", "cpu"]) == 0
    alone = capsys.readouterr()
    with serving({"own": tmp_path / "model"}) as server:
        assert main([*words, "--model", "own", "--server", server.address]) == 0
    asked = capsys.readouterr()
    assert "was cut" in asked.err or "sticks out" in asked.err
    ours, theirs = ([json.loads(line) for line in one.out.splitlines()] for one in (alone, asked))
    for one, other in zip(ours, theirs, strict=True):
        assert len(one["weights"]) == 16
        assert alike(one, other)


def test_chat(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise_picture().pixels).save("photo.png")
    monkeypatch.setattr(
        "sys.stdin",
        io.TextIOWrapper(io.BytesIO(b"what is {a}?\nand where is it?\n/box b 1,2,30,40\nwhat is {b}?\n")),
    )
    assert main(["chat", "photo.png", "--point", "a=50,40", "--server", server, "--max-new-tokens", "5"]) == 0
    said = capsys.readouterr()
    assert "pointer answers" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("question", "settings", "model", "kind", "said"),
    [
        ("what?", {}, "third", UnknownModel, "no model 'third'; known models: pointer, ferret"),
        ("what?", {"max_new_tokens": 4000}, "pointer", UsageError, "max_new_tokens"),
        ("what?", {"temperature": -1.0}, "pointer", UsageError, "temperature"),
        ("where? " * 500, {}, "pointer", UsageError, "."),
    ],
)
def test_refusals_are_those_of_the_system(
    server: str, picture: Picture, question: str, settings: dict[str, float], model: str,
    kind: type[DeixisError], said: str,
) -> None:  # fmt: skip
    with pytest.raises(kind, match=said):
        RemoteSystem(Server(server), model=model).ask(picture, question, **settings)


def test_a_picture_of_too_many_bytes(systems: dict[str, System]) -> None:
    noise = open_picture(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    with (
        serving(systems, server_limits=ServerLimits(body_bytes=50_000)) as running,
        pytest.raises(BadPicture, match=r"takes no request of [\d,]+ bytes \(the body is longer"),
    ):
        RemoteSystem(Server(running.address)).ask(noise, "what?")


def test_keys(systems: dict[str, System], picture: Picture) -> None:
    with serving(systems, keys=Keys([KEY])) as running:
        assert RemoteSystem(Server(running.address, KEY)).ask(picture, "what?", max_new_tokens=2).text
        for key in (None, "another-key-than-ours"):
            with pytest.raises(UsageError, match=r"wants a key|refuses the key"):
                RemoteSystem(Server(running.address, key)).ask(picture, "what?")


def test_a_dead_engine_is_said(systems: dict[str, System], picture: Picture) -> None:
    with serving(systems) as running:
        running.engine.close()
        with pytest.raises(EndpointError, match="has stopped answering"):
            RemoteSystem(Server(running.address)).ask(picture, "what?")

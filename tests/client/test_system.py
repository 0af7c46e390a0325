"""A system behind a server: what is sent, and what comes back as an answer."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from deixis.client.server import Server
from deixis.client.system import RemoteSystem
from deixis.errors import BadRegion, EndpointError, RegionClipped, UsageError
from deixis.pictures.opening import open_picture
from deixis.regions.frames import THOUSANDTHS, UNIT
from deixis.regions.shapes import Box, Mask, Point, Polygon, Scribble
from tests.client.fake_server import FakeServer, running

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
PICTURE = open_picture(PIXELS, name="a.png")


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with running() as server:
        yield server


@pytest.fixture
def system(fake: FakeServer) -> RemoteSystem:
    return RemoteSystem(Server(fake.address), model="pointer")


def test_words_regions_and_settings_go_over_the_wire(fake: FakeServer, system: RemoteSystem) -> None:
    inside = np.zeros((40, 50), dtype=bool)
    inside[3:9, 4:20] = True
    regions = {
        "a": Box(100, 200, 500, 500, frame=THOUSANDTHS),
        "b": Point(0.5, 0.25, frame=UNIT),
        "c": Mask.from_array(inside),
        "d": Polygon(((1, 2), (9, 2), (5, 8))),
        "e": Scribble(((1, 2), (9, 2))),
    }
    answer = system.ask(
        PICTURE, "Is {a} {b} or {{c}} {c}, {d}, {e}, {a}", regions=regions, max_new_tokens=9, seed=3
    )
    (sent,) = fake.requests
    assert {name: sent[name] for name in ("model", "max_tokens", "seed")} == {
        "model": "pointer", "max_tokens": 9, "seed": 3,
    }  # fmt: skip
    picture, *parts = sent["messages"][0]["content"]
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert [part.get("text") or part["region"]["name"] for part in parts] == [
        "Is ", "a", " ", "b", " or {c} ", "c", ", ", "d", ", ", "e", ", ", "a",
    ]  # fmt: skip
    boxes = [part["region"] for part in parts if part["type"] == "region"]
    assert boxes[0] == {"box": [5.0, 8.0, 25.0, 20.0], "name": "a"}
    assert boxes[1] == {"point": [25.0, 10.0], "name": "b"}
    assert set(boxes[2]["mask"]) == {"size", "counts"}
    assert answer.question == "Is {a} {b} or {{c}} {c}, {d}, {e}, {a}"
    assert answer.regions[0] == ("a", Box(5, 8, 25, 20, frame=PICTURE.frame))
    assert answer.picture is PICTURE
    assert answer.weights == "f00d"


def test_a_lone_brace_stays_as_it_was_typed(system: RemoteSystem) -> None:
    assert system.ask(PICTURE, " What is { here? ").question == "What is { here?"


def test_the_file_itself_is_sent(fake: FakeServer, system: RemoteSystem) -> None:
    packed = io.BytesIO()
    Image.fromarray(PIXELS).save(packed, "JPEG")
    picture = open_picture(packed.getvalue())
    system.send_as(picture, packed.getvalue())
    assert system.ask(picture, "What?").picture is picture
    url = fake.requests[0]["messages"][0]["content"][0]["image_url"]["url"]
    assert url == "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()
    system.ask(PICTURE, "What?")  # another picture goes with its own pixels
    assert "data:image/png" in fake.requests[1]["messages"][0]["content"][0]["image_url"]["url"]


def test_a_server_whose_decoder_makes_other_pixels(fake: FakeServer, system: RemoteSystem) -> None:
    fake.digest = "0" * 32
    answer = system.ask(PICTURE, "What?")
    assert answer.spans[0].places[0].box == Box(1, 2, 20, 30, frame=PICTURE.frame)
    again = system.ask(PICTURE, "And?", before=[answer])
    assert again.text == "It is 2."


def test_an_answer_about_a_picture_of_another_size(
    fake: FakeServer, system: RemoteSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_picture(np.zeros((9, 9, 3), dtype=np.uint8))
    packed = io.BytesIO()
    Image.fromarray(PIXELS).save(packed, "PNG")
    system.send_as(other, packed.getvalue())
    with pytest.raises(EndpointError, match="50 x 40"):
        system.ask(other, "What?")


def test_earlier_turns_go_to_the_letter(fake: FakeServer, system: RemoteSystem) -> None:
    first = system.ask(PICTURE, "What is {it}?", regions={"it": Point(3, 4)})
    system.ask(PICTURE, "And now?", before=[first])
    asked, said, now = fake.requests[1]["messages"]
    assert [part["type"] for part in asked["content"]] == ["image_url", "text", "region", "text"]
    assert (said["role"], said["content"]) == ("assistant", "It is 1.")
    assert said["answer"] == first.to_dict() | {"picture": {"width": 50, "height": 40}}
    assert now["content"] == [{"type": "text", "text": "And now?"}]


def test_several_questions_keep_their_order(system: RemoteSystem) -> None:
    words = [f"Is it {number}?" for number in range(20)]
    answers = system.ask(PICTURE, words, regions=[{}] * 20)
    assert [answer.question for answer in answers] == words
    assert system.ask(PICTURE, [], regions=[]) == []


def test_regions_at_the_edge(system: RemoteSystem) -> None:
    with pytest.warns(RegionClipped):
        answer = system.ask(PICTURE, "What is {it}?", regions={"it": Box(-9, 2, 9, 9)})
    assert answer.regions == (("it", Box(0, 2, 9, 9, frame=PICTURE.frame)),)
    with pytest.raises(BadRegion):
        system.ask(PICTURE, "What is {it}?", regions={"it": Box(90, 2, 99, 9)})
    with pytest.raises(UsageError, match=r"speaks of \{that\}"):
        system.ask(PICTURE, "What is {that}?")
    with pytest.raises(UsageError, match="needs words"):
        system.ask(PICTURE, " ")


def test_the_name_is_one_that_the_server_lists(fake: FakeServer) -> None:
    server = Server(fake.address)
    assert RemoteSystem(server).name == "pointer"
    assert RemoteSystem(server, model="other").name == "other"
    with pytest.raises(UsageError, match=r"'third' is not on .*; it has: pointer, other"):
        assert RemoteSystem(server, model="third").name

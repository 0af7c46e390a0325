"""Two replicas on Ray on this machine: routing by picture, a replica that is killed, what the flags do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psutil
import pytest

from deixis.client.question import chat_request
from deixis.client.server import Server
from deixis.client.system import CHAT, RemoteSystem
from deixis.errors import EndpointError
from tests.client.ray_server import serving_on_ray
from tests.soak.watching import get
from tests.systems.pointer.tiny import noise_picture, saved_system, tiny_system

pytest.importorskip("ray", reason="Ray isn't installed: pip install 'deixis[ray]'")
pytestmark = pytest.mark.slow

PICTURES, QUESTIONS = 12, 72


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def hits_at_random(address: str) -> int:
    """How many of some questions about a few pictures, in random order, met a replica that knew theirs."""
    server, chance = Server(address), Random(0)
    pictures = [noise_picture(60 + number, 50) for number in range(PICTURES)]
    hits = 0
    for number in range(QUESTIONS):
        picture = pictures[chance.randrange(PICTURES)]
        reply = server.post(CHAT, chat_request(picture, f"is it {number}?", settings={"max_new_tokens": 1}))
        hits += reply["usage"]["prompt_tokens_details"]["cached_tokens"] > 0
    return hits


def test_questions_about_a_picture_meet_the_replica_that_knows_it(tmp_path: Path) -> None:
    models = {"tiny": tiny_system()}
    with serving_on_ray(models, tmp_path / "by picture") as address:
        by_picture = hits_at_random(address)
    with serving_on_ray(models, tmp_path / "by queue", router=None) as address:
        by_queue = hits_at_random(address)
    print(f"of {QUESTIONS} questions {by_picture} found their picture routed by it, {by_queue} by queue")
    assert by_picture == QUESTIONS - PICTURES
    assert by_queue < by_picture - PICTURES / 2


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving_on_ray({"tiny": tiny_system()}, tmp_path) as address:
        yield address


def replicas() -> list[psutil.Process]:
    """The processes of replicas."""
    every = psutil.Process().children(recursive=True)
    return [one for one in every if any("ServeReplica:deixis:replica" in word for word in one.cmdline())]


def test_a_replica_that_is_killed_within_an_answer(address: str) -> None:
    picture, server = noise_picture(), Server(address)
    body = chat_request(picture, "where is the dog?", settings={"max_new_tokens": 500, "temperature": 5.0})
    stream = server.stream(CHAT, body)
    next(stream)
    both = replicas()
    assert len(both) == 2
    for one in both:
        os.kill(one.pid, signal.SIGKILL)
    with pytest.raises(EndpointError, match="has gone; ask again"):
        list(stream)
    until = time.monotonic() + 90
    while True:  # Ray starts others in their place
        try:
            assert RemoteSystem(server).ask(picture, "where is the dog?", max_new_tokens=2).picture is picture
            break
        except EndpointError:
            assert time.monotonic() < until
    assert get(port_of(address), "/health")[0] == 200


def test_the_command(tmp_path: Path) -> None:
    saved_system(tmp_path / "model")
    words = ["serve", "--ray", "--replicas", "2", "--cpus", "0.5", "--model", "model", "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "deixis", *words, "--device", "cpu"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = next(one for one in process.stderr if "answering at" in one)
        address = line.split()[-1]
        _, models = get(port_of(address), "/v1/models")
        assert [one["id"] for one in json.loads(models)["data"]] == ["model"]
        assert (
            RemoteSystem(Server(address)).ask(noise_picture(), "what?", max_new_tokens=2).system == "pointer"
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()

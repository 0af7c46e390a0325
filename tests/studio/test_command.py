"""``deixis studio`` from the shell."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest

from deixis.cli.program import run
from tests.studio.browser import free_port
from tests.studio.desk import picture


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "from 0 to 65535"),
        (["--api-key-file", "x"], "give --server URL as well"),
        (["--server", "http://localhost:1", "--model", "pointer"], "leave them out with --server"),
        (["--server", "ftp://localhost"], "http"),
        (["--model", "no_such_model", "--port", "0"], "no_such_model"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["studio", "--no-browser", *arguments]) in (2, 4)
    assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["studio", "--no-browser", "--port", str(taken.getsockname()[1])]) == 2
    assert "another program has it" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["studio", "--no-browser", "--port", "0", "--server", f"http://127.0.0.1:{free_port()}"]) == 5
    assert "can't be reached" in capsys.readouterr().err


@pytest.mark.slow  # a process of its own imports all there is and loads a model
def test_it_says_where_it_is_serves_and_lets_an_answer_end() -> None:
    command = [sys.executable, "-m", "deixis", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as studio:
        assert studio.stdout is not None and studio.stderr is not None
        said = studio.stdout.readline()
        assert said.startswith("the studio is at http://127.0.0.1:"), studio.stderr.read()
        home = said.split()[-1].removesuffix("/studio/")
        with httpx.Client(base_url=home, timeout=60) as client:
            assert "Deixis" in client.get("/studio/").text
            events = asked(client, lambda: studio.send_signal(signal.SIGTERM))
        assert studio.wait(30) == 0
        assert "Traceback" not in studio.stderr.read()
    assert events[-1] == "[DONE]"
    answer = json.loads(events[-2])["choices"][0]["delta"]["answer"]
    assert answer["finish"] == "stop" and answer["text"]


def asked(client: httpx.Client, on_first: Callable[[], None]) -> list[str]:
    """Ask about a picture, and return what is streamed; on_first: called when the first of it is there."""
    known = client.post("/v1/pictures", content=picture(), headers={"Content-Type": "image/png"}).json()
    content = [
        {"type": "image_url", "image_url": {"url": f"picture:{known['id']}"}},
        {"type": "text", "text": "What is in the picture?"},
    ]
    body = {"stream": True, "messages": [{"role": "user", "content": content}]}
    events: list[str] = []
    with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        assert reply.status_code == 200
        for line in reply.iter_lines():
            if line and not events:
                on_first()
            events += [line.removeprefix("data: ")] if line else []
    return events

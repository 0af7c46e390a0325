"""``deixis studio`` from the shell."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from deixis.cli.program import run
from tests.studio.browser import free_port


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


def test_it_says_where_it_is_serves_and_ends() -> None:
    command = [sys.executable, "-m", "deixis", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as studio:
        assert studio.stdout is not None
        said = studio.stdout.readline()
        assert said.startswith("the studio is at http://127.0.0.1:")
        with urllib.request.urlopen(said.split()[-1]) as page:
            assert b"Deixis" in page.read()
        studio.send_signal(signal.SIGINT)
        assert studio.wait(30) in (0, 130)
        assert studio.stderr is not None and "Traceback" not in studio.stderr.read()

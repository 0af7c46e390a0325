"""`deixis serve`: what is wrong with a call is said before anything slow; what is right is served."""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import deixis.cli.serving.starting as starting
from deixis.cli import main
from deixis.cli.serving.server_flags import add_server_flags
from deixis.cli.serving.starting import named_models
from deixis.errors import UsageError
from deixis.server.application import create_app
from deixis.server.guards.key_check import bearer
from tests.server.asking import CHAT, FakeEngine, chat


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--port", "99999"], 2, "the port is 99999"),
        (["--host", "no-such-name.invalid"], 2, "is no name or address of this machine"),
        (["--model", "nowhere/at/all"], 2, "nowhere/at/all"),
        (["--model", "pointer", "--model", "pointer"], 2, "two models are called 'pointer'"),
        (["--model", ""], 2, "expected a system's name or a folder"),
        (["--model", "ferret"], 4, "weights"),
        (["--api-key-file", "absent"], 2, "the file of keys absent can't be read"),
        (["--cors", "example.org"], 2, "expected an origin such as https://example.org"),
        (["--grace", "-1"], 2, "--grace is -1.0"),
        (["--grace", "nan"], 2, "--grace is nan"),
        (["--cache-gb", "0"], 2, "--cache-gb is 0.0"),
        (["--models-gb", "-1"], 2, "--models-gb is -1.0"),
        (["--max-batch", "0"], 2, "rows is 0"),
        (["--max-queue", "-2"], 2, "queue is -2"),
        (["--max-tokens", "5000"], 2, "the server's limit tokens is 5000"),
        (["--deadline", "0"], 2, "the server's limit deadline is 0.0"),
        (["--max-pixels", "0"], 2, "the server's limit pixels is 0"),
        (["--allow-host", "http://a"], 2, "is no host to fetch pictures from"),
        (["--allow-folder", "absent"], 2, "there is no folder 'absent'"),
        (["--device", "tpu"], 2, "no device is called 'tpu'"),
    ],
)
def test_what_is_wrong_is_said_before_a_model_is_loaded(
    flags: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(starting, "warm", lambda engine: pytest.fail("a model was loaded"))
    assert main(["serve", "--port", "0", *flags]) == code
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and not said.out


def test_a_taken_port_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", "--port", str(port), "--model", "nowhere"]) == 2
    assert f"can't have port {port} of '127.0.0.1': another program has it" in capsys.readouterr().err


class Recorded:
    """Stands for the engine and the loop: keeps the application that would be served."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: dict[str, Any] = {}
        self.app: Any = None
        monkeypatch.setattr(starting, "warm", lambda engine: None)
        monkeypatch.setattr("deixis.server.running.graceful.serve", self.serve)

    def serve(self, app: Any, sock: Any, *, ready: Any, **given: Any) -> None:
        self.app = app
        self.given |= given
        ready()

    def create(self, engine: Any, **given: Any) -> Any:
        self.given |= given
        return create_app(FakeEngine(), **given)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    own = Recorded(monkeypatch)
    monkeypatch.setattr("deixis.server.application.create_app", own.create)
    yield own


def test_the_address_is_all_that_is_said(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "0"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("deixis: answering at http://127.0.0.1:") and said.err.count("\n") == 1
    assert not said.out and recorded.given["grace"] == 30 and recorded.given["keys"] is None


@pytest.mark.parametrize(
    ("flags", "host", "status"),
    [
        ([], "localhost", 200),
        ([], "evil.example", 421),
        (["--server-name", "proxy.example"], "proxy.example", 200),
        (["--host", "0.0.0.0"], "evil.example", 200),
        (["--host", "0.0.0.0", "--server-name", "proxy.example"], "evil.example", 421),
        (["--host", "0.0.0.0", "--server-name", "proxy.example"], "localhost", 200),
    ],
)
def test_names_of_the_server(
    recorded: Recorded,
    flags: list[str],
    host: str,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve", "--port", "0", *flags]) == 0
    assert ("whoever reaches this machine may ask" in capsys.readouterr().err) == ("0.0.0.0" in flags)
    assert ask(recorded.app, "/health", {"Host": host}).status_code == status


def ask(app: Any, path: str, headers: dict[str, str]) -> httpx.Response:
    import asyncio

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(asked())


def test_keys_and_limits_arrive(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a-key-of-some-length\n")
    flags = ["--api-key-file", str(tmp_path / "keys"), "--max-tokens", "7", "--deadline", "9"]
    assert main(["serve", "--port", "0", *flags, "--allow-folder", str(tmp_path)]) == 0
    assert recorded.given["keys"].owner("a-key-of-some-length") == "key 1"
    limits = recorded.given["limits"]
    assert (limits.tokens, limits.deadline) == (7, 9)
    assert recorded.given["pictures"].folders == (tmp_path,)
    assert bearer("Bearer a") == "a"


def test_models_are_called_by_their_folders_or_as_one_says() -> None:
    assert named_models(["pointer", "out/run/", "a/b=c"]) == {
        "pointer": "pointer",
        "run": "out/run/",
        "b=c": "a/b=c",
    }
    assert named_models(["mine=pointer"]) == {"mine": "pointer"}
    with pytest.raises(UsageError, match="expected a system's name or a folder"):
        named_models(["mine="])


def test_every_flag_says_its_default() -> None:
    parser = argparse.ArgumentParser()
    add_server_flags(parser)
    lacking = [
        action.dest for action in parser._actions if action.nargs != 0 and "default" not in str(action.help)
    ]
    assert set(lacking) <= {"api_key_file"}


def test_the_embedded_model_is_served_and_ends_well() -> None:
    """The whole way: a process, its address on standard error, an answer, SIGTERM."""
    command = [sys.executable, "-m", "deixis", "serve", "--port", "0", "--device", "cpu"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            assert "answering at " in line, line
            address = line.split()[3]
            reply = httpx.post(address + CHAT, json=chat("What is in the picture?"), timeout=60)
            assert reply.status_code == 200 and reply.json()["choices"][0]["message"]["content"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()

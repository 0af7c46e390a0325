"""A server begins and ends well: a taken port is said at once, SIGTERM lets open requests end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deixis.errors import UsageError
from deixis.server.application import create_app
from deixis.server.running.listening import address_of, is_loopback, listening
from tests.server.asking import CHAT, WAIT, FakeEngine, chat, running, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 70_000, "the port is 70000; expected a number from 0 to 65535"),
        ("127.0.0.1", -1, "the port is -1"),
        ("no-such-name.invalid", 0, "is no name or address of this machine"),
        ("8.8.8.8", 0, "this machine has no such address"),
        ("a" * 300, 0, "is no name or address"),
    ],
)
def test_where_nobody_can_listen(host: str, port: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        listening(host, port)


def test_a_taken_port_is_said(taken: int) -> None:
    with pytest.raises(UsageError, match="another program has it; choose another port, or 0"):
        listening("127.0.0.1", taken)


def test_two_servers_never_have_one_port() -> None:
    with listening("127.0.0.1", 0) as one, pytest.raises(UsageError, match="another program has it"):
        listening("127.0.0.1", one.getsockname()[1])


def test_addresses() -> None:
    with listening("127.0.0.1", 0) as sock:
        assert address_of(sock).startswith("http://127.0.0.1:") and is_loopback(sock)
    with listening("0.0.0.0", 0) as sock:
        assert address_of(sock).startswith("http://127.0.0.1:") and not is_loopback(sock)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_address_of_ipv6() -> None:
    with running(create_app(FakeEngine()), host="::1") as (address, _):
        assert address.startswith("http://[::1]:")
        assert httpx.post(address + CHAT, json=chat("What?"), timeout=WAIT).status_code == 200


def test_open_requests_end_and_new_ones_are_refused() -> None:
    engine = FakeEngine()
    engine.held = True
    replies: list[httpx.Response] = []
    with running(create_app(engine), grace=WAIT) as (address, server), httpx.Client(timeout=WAIT) as client:
        client.get(address + "/health")
        ask = threading.Thread(
            target=lambda: replies.append(httpx.post(address + CHAT, json=chat("What?"), timeout=WAIT))
        )
        ask.start()
        until(lambda: engine.tickets)
        server.end()
        until(lambda: client.get(address + "/health").status_code == 503)
        refused = client.post(address + CHAT, json=chat("And?"))
        assert refused.status_code == 503 and refused.json()["error"]["code"] == "closing"
        engine.tell(engine.tickets[0])
        ask.join(WAIT)
    assert [reply.status_code for reply in replies] == [200] and engine.alive


def test_what_takes_too_long_is_cut() -> None:
    engine = FakeEngine()
    engine.held = True
    replies: list[httpx.Response] = []
    with running(create_app(engine), grace=0.1) as (address, server):
        ask = threading.Thread(
            target=lambda: replies.append(httpx.post(address + CHAT, json=chat("What?"), timeout=WAIT))
        )
        ask.start()
        until(lambda: engine.tickets)
        server.end()
        ask.join(WAIT)
    assert [reply.status_code for reply in replies] == [503] and not engine.alive


PROGRAM = """
    import sys
    from deixis.server.application import create_app
    from deixis.server.running.graceful import serve
    from deixis.server.running.listening import address_of, listening
    from tests.server.asking import FakeEngine

    engine = FakeEngine()
    engine.held = True
    with listening("127.0.0.1", 0) as sock:
        address = address_of(sock)
        serve(create_app(engine), sock, grace=60.0, ready=lambda: print(address, flush=True))
    print("ended well", flush=True)
"""


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process with a server whose questions are never answered, and its address."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_and_a_second_one_at_once(
    process: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    program, address = process
    if number is signal.SIGTERM:  # nothing is open
        program.send_signal(number)
        assert program.wait(WAIT) == 0
        assert program.stdout is not None and program.stdout.read() == "ended well\n"
        return
    ask = threading.Thread(target=lambda: swallow(address))
    ask.start()
    until(lambda: "deixis_http" in httpx.get(address + "/metrics").text)
    time.sleep(0.3)  # the question is open by now
    program.send_signal(number)
    until(lambda: httpx.get(address + "/health").status_code == 503)
    assert program.poll() is None
    os.kill(program.pid, number)
    assert program.wait(WAIT) == 128 + number
    ask.join(WAIT)


def swallow(address: str) -> None:
    """Ask something; the server ends before it answers."""
    try:
        httpx.post(address + CHAT, json=chat("What?"), timeout=WAIT)
    except httpx.HTTPError:
        return

"""Pictures are fetched from allowed hosts and public addresses, within time and bytes; nobody is led away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from deixis.errors import BadPicture, UsageError
from deixis.server.application import create_app
from deixis.server.limits import ServerLimits
from deixis.server.pictures.allowed import AllowedSources
from deixis.server.pictures.fetching import fetched, judged
from tests.server.asking import CHAT, Client, FakeEngine, chat, png, running, shown, until, user


class Host(ThreadingHTTPServer):
    """A host of pictures; ``seen`` are the paths that were asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.elsewhere = ""

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Pages(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        self.server.headers.append(dict(self.headers))
        moves: dict[str, str] = {
            "/same": "/a.png",
            "/loop": "/loop",
            "/other": self.server.elsewhere,
            "/file": "file:///etc/passwd",
            "/ftp": "ftp://127.0.0.1/a.png",
        }
        if self.path in moves:
            self.send_response(302)
            self.send_header("Location", moves[self.path])
            self.send_header("Content-Length", str(1 << 40) if self.path == "/other" else "0")
            self.end_headers()
        elif self.path == "/a.png":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(png())
        elif self.path in ("/endless", "/slow"):
            self.send_response(200)
            self.end_headers()
            self.pour(0.05 if self.path == "/slow" else 0.0)
        else:
            self.send_error(404)

    def pour(self, pause: float) -> None:
        """Send bytes until nobody takes them."""
        try:
            while True:
                self.wfile.write(b"x" * (1 if pause else 1 << 16))
                time.sleep(pause)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fetch(url: str, *hosts: str, private: bool = True, most: int = 1 << 20, seconds: float = 5.0) -> bytes:
    return fetched(url, AllowedSources(hosts, private=private), where="url", most=most, seconds=seconds)


def test_a_picture_of_an_allowed_host_is_asked_about(host: Host) -> None:
    client = Client(pictures=AllowedSources((host.name,), private=True))
    url = f"http://{host.name}/a.png"
    asked = client.asked({"messages": [user(shown(url), shown(url), "What?")]})
    assert asked.pictures[0].width == 80
    assert host.seen == ["/a.png"]  # once, though it is shown twice
    assert not {"Authorization", "Cookie"} & set(host.headers[0])


def test_allowed_hosts_lead_to_no_private_address(host: Host) -> None:
    for name in (host.name, host.name.replace("127.0.0.1", "localhost")):
        with pytest.raises(BadPicture, match="not one of the public internet"):
            fetch(f"http://{name}/a.png", name, private=False)
    client = Client(pictures=AllowedSources((host.name,)))
    error = client.refused({"messages": [user(shown(f"http://{host.name}/a.png"), "What?")]})
    assert "not one of the public internet" in error["message"]
    assert host.seen == []


def test_a_name_is_judged_by_all_that_it_leads_to(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    port = host.server_address[1]
    places = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    with pytest.raises(BadPicture, match="not one of the public internet"):
        fetch(f"http://example.org:{port}/a.png", f"example.org:{port}", private=False)
    assert host.seen == []


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    """Whoever answers otherwise the second time is not asked a second time."""
    port, asked = host.server_address[1], []

    def looked_up(*given: Any, **_: Any) -> list[Any]:
        asked.append(given)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    assert fetch(f"http://example.org:{port}/a.png", f"example.org:{port}") == png()
    assert len(asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
        "2001:0:5ef5:79fd::80ff:fffe",
    ],
)  # fmt: skip
def test_addresses_that_are_not_everybodys(address: str) -> None:
    with pytest.raises(OSError, match="public internet"):
        judged(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111"])
def test_addresses_of_the_internet(address: str) -> None:
    judged(address)


def test_redirects_are_followed_on_the_same_host_alone(host: Host) -> None:
    assert fetch(f"http://{host.name}/same", host.name) == png()
    with Host() as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        # Its own name too, at another port that is allowed: another host all the same where the name differs.
        host.elsewhere = f"http://localhost:{other.server_address[1]}/a.png"
        allowed = (host.name, other.name, other.name.replace("127.0.0.1", "localhost"))
        with pytest.raises(BadPicture, match="status 302"):
            fetch(f"http://{host.name}/other", *allowed)
        assert other.seen == []
        other.shutdown()
    for path in ("loop", "file", "ftp"):
        with pytest.raises(BadPicture, match="status 302"):
            fetch(f"http://{host.name}/{path}", host.name)
    assert host.seen.count("/loop") <= 5


def test_a_redirect_to_a_port_that_is_not_allowed(host: Host) -> None:
    with Host() as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        host.elsewhere = f"http://{other.name}/a.png"
        with pytest.raises(BadPicture, match="status 302"):
            fetch(f"http://{host.name}/other", host.name)
        assert other.seen == []
        other.shutdown()


def test_bytes_and_seconds_are_bounded(host: Host) -> None:
    with pytest.raises(BadPicture, match="more than 1,000,000 bytes"):
        fetch(f"http://{host.name}/endless", host.name, most=1_000_000)
    started = time.monotonic()
    with pytest.raises(BadPicture, match="not within"):
        fetch(f"http://{host.name}/slow", host.name, seconds=0.5)
    assert time.monotonic() - started < 5


def test_what_goes_wrong_is_said_without_detail(host: Host) -> None:
    with pytest.raises(BadPicture, match="answers with status 404"):
        fetch(f"http://{host.name}/absent", host.name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BadPicture, match="its host doesn't answer as it should"):
        fetch(f"http://{name}/a.png", name)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org@127.0.0.1/a.png",
        "http://127.0.0.1\\@example.org/a.png",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http:///a.png",
        "http://[::1/a.png",
        "http://exämple.org/",
        "http://example.org/a b",
        "http://example.org/\r\nHost: x",
    ],
)
def test_addresses_that_may_be_misread_are_none(url: str) -> None:
    with pytest.raises(BadPicture, match="no address of http or https"):
        fetch(url, "example.org", "127.0.0.1")


@pytest.mark.parametrize(
    ("hosts", "host", "port", "allowed"),
    [
        (("example.org",), "example.org", 443, True),
        (("example.org",), "EXAMPLE.org.", 80, True),
        (("example.org",), "example.org", 8080, False),
        (("example.org:8080",), "example.org", 8080, True),
        (("example.org:8080",), "example.org", 80, False),
        (("example.org",), "a.example.org", 80, False),
        (("example.org",), "example.org.evil.net", 80, False),
        (("[::1]:80",), "::1", 80, True),
        ((), "example.org", 80, False),
    ],
)
def test_hosts_are_allowed_by_their_whole_name(
    hosts: tuple[str, ...], host: str, port: int, allowed: bool
) -> None:
    assert AllowedSources(hosts).allows(host, port) is allowed


@pytest.mark.parametrize("host", ["", "http://example.org", "example.org/a", "a b", "example.org:x", "ä.org"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(UsageError, match="is no host to fetch pictures from"):
        AllowedSources((host,))


def test_fetching_keeps_nobody_else_waiting(host: Host) -> None:
    """While all threads that fetch wait for a slow host, other questions are answered."""
    limits = ServerLimits(threads=1, upload_seconds=1.5)
    app = create_app(FakeEngine(), limits=limits, pictures=AllowedSources((host.name,), private=True))
    slow = {"messages": [user(shown(f"http://{host.name}/slow"), "What?")]}
    with running(app) as (address, _), ThreadPoolExecutor(1) as pool, httpx.Client(timeout=20) as client:
        waiting = pool.submit(httpx.post, address + CHAT, json=slow, timeout=20)
        until(lambda: "/slow" in host.seen)
        assert client.post(address + CHAT, json=chat("What?")).status_code == 200
        assert not waiting.done()
        assert "not within 1.5 s" in waiting.result().text

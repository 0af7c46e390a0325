"""No server can hold a request beyond its time."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest

from deixis.endpoints.chat import ChatRequest
from deixis.endpoints.endpoint import Endpoint
from deixis.errors import EndpointError

REQUEST = ChatRequest("judge", (("user", "8 or 7?"),))
Serve = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Serve) -> Iterator[str]:
    """The address of a server that does with each connection what it is told, until it is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def loop() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            try:
                with connection:
                    serve(connection)
            except OSError:
                pass  # the client gave up

        threading.Thread(target=loop, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def drip(text: bytes, connection: socket.socket) -> None:
    """Send a byte now and then, for at most four seconds."""
    for index in range(200):
        connection.sendall(text[index % len(text) : index % len(text) + 1])
        time.sleep(0.02)


def flood(text: bytes, connection: socket.socket) -> None:
    """Send the same text for four seconds."""
    began = time.monotonic()
    while time.monotonic() - began < 4:
        connection.sendall(text)


def after(head: bytes, then: Serve) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(head)
        then(connection)

    return serve


OK = b"HTTP/1.1 200 OK\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SLOW: dict[str, Serve] = {
    "nothing": lambda connection: time.sleep(4),
    "a dripping status line": after(b"", lambda c: drip(b"HTTP/1.1 200 OK" + b" " * 300, c)),
    "a dripping header": after(OK + b"X: ", lambda c: drip(b"a", c)),
    "dripping headers": after(OK, lambda c: drip(b"X: a\r\n", c)),
    "100 Continue, dripping": after(b"", lambda c: drip(CONTINUE, c)),
    "100 Continue, for ever": after(b"", lambda c: flood(CONTINUE, c)),
    "a dripping body": after(OK + b"Content-Length: 1000\r\n\r\n", lambda c: drip(b" ", c)),
    "a dripping body without an end": after(OK + b"\r\n", lambda c: drip(b" ", c)),
    "dripping chunks": after(OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda c: drip(b"1\r\n \r\n", c)),
    "a dripping length of a chunk": after(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda c: drip(b"0", c)
    ),
    "a dripping trailer": after(
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", lambda c: drip(b"X: a\r\n", c)
    ),
    "a dripping error": after(
        b"HTTP/1.1 400 No\r\nContent-Length: 1000\r\n\r\n", lambda c: drip(b"too long ", c)
    ),
}


@pytest.mark.parametrize("serve", SLOW.values(), ids=SLOW)
def test_a_request_ends_when_its_time_is_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(serve) as address:
        began = time.monotonic()
        with pytest.raises(EndpointError):
            Endpoint(address, key_variable=None, timeout=0.3, attempts=1).complete(REQUEST)
        assert 0.25 < time.monotonic() - began < 1.5


def test_a_handshake_of_tls_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(SLOW["nothing"]) as address:
        began = time.monotonic()
        with pytest.raises(EndpointError, match="not complete after"):
            Endpoint(address.replace("http:", "https:"), key_variable=None, timeout=0.3, attempts=1).complete(
                REQUEST
            )
        assert 0.25 < time.monotonic() - began < 1.5


def test_an_answer_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is made anew; whoever doesn't trust it gets no key."""
    if which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            asked = secure.recv(1 << 16)
            while not asked.endswith(b"}"):
                asked += secure.recv(1 << 16)
            received.append(asked)
            body = b'{"choices": [{"message": {"content": "8 7"}}]}'
            secure.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(serve) as address:
        endpoint = Endpoint(address.replace("http:", "https:"), key="sk-very-secret", timeout=5.0, attempts=1)
        with pytest.raises(EndpointError, match="CERTIFICATE_VERIFY_FAILED"):
            endpoint.complete(REQUEST)
        assert received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert endpoint.complete(REQUEST) == "8 7"
        assert b"Bearer sk-very-secret" in received[0]


def test_a_server_that_says_continue_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    body = b'{"choices": [{"message": {"content": "8 7"}}]}'
    head = CONTINUE * 3 + OK + b"Content-Length: %d\r\n\r\n" % len(body)
    with serving(after(head, lambda connection: drip_whole(body, connection))) as address:
        assert Endpoint(address, key_variable=None, timeout=5.0).complete(REQUEST) == "8 7"


def drip_whole(text: bytes, connection: socket.socket) -> None:
    for index in range(len(text)):
        connection.sendall(text[index : index + 1])
        time.sleep(0.002)


def test_a_host_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two addresses that swallow connections take no longer than one."""
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]  # what fills the queue of the server
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        place = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [place] * 4)
        began = time.monotonic()
        with pytest.raises(EndpointError, match="not complete after"):
            Endpoint(f"http://127.0.0.1:{port}/v1", key_variable=None, timeout=0.3, attempts=1).complete(
                REQUEST
            )
        assert 0.25 < time.monotonic() - began < 1.1
        for one in waiting:
            one.close()

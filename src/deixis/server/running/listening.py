"""A port that is this program's own from the start: nothing slow is done before it is known to be free."""

from __future__ import annotations

import errno
import socket
import sys

from deixis.errors import UsageError

BACKLOG = 1024  # connections that wait to be accepted
FAULTS = {
    errno.EADDRINUSE: "another program has it; choose another port, or 0 for any that is free",
    errno.EACCES: "this user may not; choose a port from 1024 on",
    errno.EADDRNOTAVAIL: "this machine has no such address; localhost, 0.0.0.0 and :: are always there",
}


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; UsageError says why there can't be one. port 0: any that is free.

    Whoever connects before the server answers waits.
    """
    if not 0 <= port < 1 << 16:
        raise UsageError(f"the port is {port}; expected a number from 0 to 65535")
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as fault:
        raise UsageError(
            f"{host!r:.100} is no name or address of this machine: "
            f"{getattr(fault, 'strerror', None) or fault}"
        ) from None
    family, kind, protocol, _, place = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there, it would let two programs have the same port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
    except OSError as fault:
        sock.close()
        why = FAULTS.get(fault.errno or 0, fault.strerror or str(fault))
        raise UsageError(f"the server can't have port {port} of {host!r:.100}: {why}") from None
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> str:
    """Return the address that a listening socket is reached by, as clients are given it.

    One that listens on all of this machine's addresses is reached on this machine by that of loopback.
    """
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(sock: socket.socket) -> bool:
    """Tell whether only programs on this machine reach a listening socket."""
    host = str(sock.getsockname()[0])
    return host.startswith("127.") or host == "::1"

"""``deixis studio``: draw on pictures, talk about them, correct answers, in the browser."""

from __future__ import annotations

import argparse
import socket
import threading
import time
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.messages import LOG, NOTICE
from deixis.cli.remote.server_flags import add_server_flags, key_in
from deixis.cli.system_flags import MODEL, add_device_flags
from deixis.errors import UsageError
from deixis.extras import missing_package

if TYPE_CHECKING:
    from fastapi import FastAPI

HELP = "open the studio: draw on pictures and talk about them in the browser"
EXAMPLE = """\
examples:
  deixis studio
  deixis studio --model pointer --model ./my_model
  deixis studio --server http://localhost:8000 --no-browser

It serves this machine alone unless --host says otherwise, and says where; Ctrl-C ends it.
"""
PORT = 8420
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Hosts = tuple[str, ...] | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--model", action="append", metavar="NAME|DIR", help=f"{MODEL}; give it again for further ones"
    )
    add_device_flags(parser)
    add_server_flags(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="where to listen (default: this machine alone)"
    )
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="P", help=f"the port (default: {PORT}; 0 takes a free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only say where the page is")


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until it is ended."""
    check(arguments)
    try:
        import uvicorn
    except ModuleNotFoundError as fault:
        raise missing_package(fault) or fault from None
    with ExitStack() as stack:
        listening = stack.enter_context(bound(arguments.host, arguments.port))
        port = listening.getsockname()[1]
        hosts = LOOPBACK if arguments.host in LOOPBACK else None
        if hosts is None:
            LOG.warning("whoever reaches %s can use this studio; it asks for no key", arguments.host)
        app = remote(arguments, hosts) if arguments.server else local(arguments, hosts, stack)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        address = f"http://{host}:{port}/studio/"
        threading.Thread(target=announce, args=(server, address, arguments), daemon=True).start()
        server.run(sockets=[listening])
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for flags that can't be meant."""
    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"--port {arguments.port}; expected 0 to 65535")
    if arguments.server is None and arguments.api_key_file is not None:
        raise UsageError("--api-key-file is for the key of a server; give --server URL as well")
    if arguments.server is not None and (arguments.model or arguments.device != "auto"):
        raise UsageError("--model and --device are the server's to choose; leave them out with --server")


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; UsageError if somebody has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_STREAM)
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((host, port))
    except OSError as fault:
        own.close()
        raise UsageError(
            f"--port {port}: {host}:{port} can't be listened at ({fault.strerror}); is a studio open "
            "already? Give another port, or 0 for any free one"
        ) from None
    return own


def local(arguments: argparse.Namespace, hosts: Hosts, stack: ExitStack) -> FastAPI:
    """Return the studio with an engine of its own, whose first model is loaded."""
    import numpy as np

    from deixis.pictures.opening import open_picture
    from deixis.serving.asked import Asked
    from deixis.serving.engine import Engine
    from deixis.serving.models import Models
    from deixis.studio.application import create_studio

    models = Models(
        named_sources(arguments.model or ["pointer"]), device=arguments.device, dtype=arguments.dtype
    )
    LOG.log(NOTICE, "loading %s", models.default)
    engine = stack.enter_context(Engine(models))
    grey = open_picture(np.full((32, 32, 3), 128, np.uint8))
    engine.ask(Asked(None, (grey,), "What is there?"))  # loaded, and what is slow the first time is done
    return create_studio(engine, hosts=hosts)


def named_sources(given: list[str]) -> dict[str, str | Path]:
    """Return models by the names they are listed with: a system's name, or the last folder of a path.

    >>> list(named_sources(["pointer", "runs/a", "old/a"]))
    ['pointer', 'a', 'a-2']
    """
    found: dict[str, str | Path] = {}
    for source in given:
        stem = Path(source).resolve().name if "/" in source or "\\" in source else source
        name, number = stem, 2
        while name in found:
            name, number = f"{stem}-{number}", number + 1
        found[name] = source
    return found


def remote(arguments: argparse.Namespace, hosts: Hosts) -> FastAPI:
    """Return the studio before a server elsewhere, which has to be there."""
    from deixis.studio.relay import Upstream, create_relay

    key = None if arguments.api_key_file is None else key_in(arguments.api_key_file)
    upstream = Upstream(arguments.server, key=key)
    with upstream.request("GET", "/v1/models", b"", "") as reply:
        if reply.status != 200:
            raise UsageError(
                f"--server {upstream.address} answers {reply.status} to a question for its models; expected "
                "a `deixis serve`" + (", and its key by --api-key-file" if reply.status == 401 else "")
            )
    return create_relay(upstream, hosts=hosts)


def announce(server: Any, address: str, arguments: argparse.Namespace) -> None:
    """Say where the page is once it is there, and open it."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    print(f"the studio is at {address}", flush=True)
    if not arguments.no_browser:
        webbrowser.open(address)

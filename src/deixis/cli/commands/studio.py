"""``deixis studio``: draw on pictures, talk about them, correct answers, in the browser."""

from __future__ import annotations

import argparse
import threading
import webbrowser
from contextlib import ExitStack
from typing import TYPE_CHECKING

from deixis.cli.messages import LOG, NOTICE
from deixis.cli.remote.server_flags import add_server_flags, key_in
from deixis.cli.serving.starting import DEFAULT, named_models, warm
from deixis.cli.system_flags import MODEL, add_device_flags
from deixis.errors import RegionClipped, UsageError

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
GRACE = 10.0  # seconds that answers which are being written are given when it is told to end

Hosts = tuple[str, ...] | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--model", action="append", metavar="[AS=]NAME|DIR", help=f"{MODEL}; give it again for further ones"
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
    """Serve the page until the process is told to end; answers that are being written may end then."""
    import warnings

    from deixis.server.running.listening import address_of, is_loopback, listening

    check(arguments)
    # The port comes first: nothing slow is done where it can't be had.
    with listening(arguments.host, arguments.port) as sock, ExitStack() as stack:
        from deixis.server.guards.host_check import LOOPBACK
        from deixis.server.running.graceful import serve

        hosts = (*LOOPBACK, arguments.host) if is_loopback(sock) else None
        if hosts is None:
            LOG.warning("whoever reaches %s can use this studio; it asks for no key", arguments.host)
        warnings.simplefilter("ignore", RegionClipped)  # what is cut shows in the page
        app = remote(arguments, hosts) if arguments.server else local(arguments, hosts, stack)
        address = f"{address_of(sock)}/studio/"
        serve(app, sock, grace=GRACE, ready=lambda: announce(address, browser=not arguments.no_browser))
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for flags that can't be meant."""
    if arguments.server is None and arguments.api_key_file is not None:
        raise UsageError("--api-key-file is for the key of a server; give --server URL as well")
    if arguments.server is not None and (arguments.model or arguments.device != "auto"):
        raise UsageError("--model and --device are the server's to choose; leave them out with --server")


def local(arguments: argparse.Namespace, hosts: Hosts, stack: ExitStack) -> FastAPI:
    """Return the studio with an engine of its own, whose first model is loaded."""
    sources = named_models(arguments.model or [DEFAULT])
    LOG.log(NOTICE, "loading %s", next(iter(sources)))  # before the imports, which take most of the time
    from deixis.serving.engine import Engine
    from deixis.serving.models import Models
    from deixis.studio.application import create_studio

    models = Models(sources, device=arguments.device, dtype=arguments.dtype)
    engine = stack.enter_context(Engine(models))
    warm(engine)
    return create_studio(engine, hosts=hosts)


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


def announce(address: str, *, browser: bool) -> None:
    """Say where the page is, and open it beside the server, which must not wait for that."""
    print(f"the studio is at {address}", flush=True)
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

"""Flags that name a server to ask, and what stands for the system then; nothing here imports torch."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.client.system import RemoteSystem
    from deixis.pictures.opening import Picture

LARGEST_KEY_FILE = 1 << 16  # bytes
# Flags of commands that speak of a network on this machine, and what they are when nobody gave them.
OF_THIS_MACHINE = (
    ("device", "auto"), ("dtype", "auto"), ("paint", None), ("paint_style", None), ("save_input", None),
    ("task", None), ("ground", False),
)  # fmt: skip


def add_server_flags(parser: argparse.ArgumentParser) -> None:
    """Add --server and --api-key-file."""
    parser.add_argument(
        "--server",
        metavar="URL",
        help="ask a server that `deixis serve` started instead of loading a model here; --model is then a "
        "name that it lists",
    )
    parser.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help="the file that holds the server's key, if it wants one",
    )


def check_server_flags(arguments: argparse.Namespace) -> None:
    """Raise UsageError for flags that have no meaning together."""
    if arguments.server is None:
        if arguments.api_key_file is not None:
            raise UsageError("--api-key-file is for the key of a server; give --server URL as well")
        return
    for name, default in OF_THIS_MACHINE:
        if getattr(arguments, name, default) != default:
            raise UsageError(f"--{name.replace('_', '-')} has no meaning with --server; leave it out")


def asked_system(arguments: argparse.Namespace) -> Any:
    """Return the system that the flags name, a ``System`` on this machine or a ``RemoteSystem``."""
    if arguments.server is None:
        from deixis.cli.system_flags import open_system

        return open_system(arguments)
    from deixis.client.server import Server
    from deixis.client.system import RemoteSystem

    key = None if arguments.api_key_file is None else key_in(arguments.api_key_file)
    return RemoteSystem(Server(arguments.server, key), model=arguments.model)


def send_file(system: RemoteSystem, picture: Picture, path: Path) -> None:
    """Let a server be sent a picture's own file, if it can be read a second time, instead of its pixels."""
    if path.is_file():
        system.send_as(picture, path.read_bytes())


def key_in(path: Path) -> str:
    """Return the key that a file holds on its only line, beside comments that begin with #.

    UsageError: the file can't be read, or holds something else. What it holds is never shown.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_KEY_FILE + 1)
    except OSError as fault:
        raise UsageError(f"--api-key-file {path} cannot be read: {fault.strerror or fault}") from fault
    lines = [line.strip() for line in content.decode("utf-8", errors="replace").splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if len(content) > LARGEST_KEY_FILE or len(keys) != 1:
        raise UsageError(f"--api-key-file {path} holds {len(keys)} keys; expected one, on a line of its own")
    (key,) = keys
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(f"--api-key-file {path} holds characters that no header can carry")
    return key

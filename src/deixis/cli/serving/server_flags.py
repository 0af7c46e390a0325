"""Flags of commands that answer over HTTP."""

from __future__ import annotations

import argparse
from pathlib import Path

from deixis.cli.serving.outer import add_outer_flag
from deixis.cli.system_flags import add_device_flags

PORT = 8000


def add_server_flags(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument(
        "--model",
        action="append",
        metavar="[AS=]NAME|DIR",
        help="a system's name or a saved folder; repeat it for several, which are loaded when they are asked "
        "for. It is asked by its name or its folder's, or by AS (default: the embedded one)",
    )
    add_device_flags(parser)
    add_address_flags(parser)
    add_engine_flags(parser)
    add_outer_flag(parser)
    add_source_flags(parser)


def add_address_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where to listen, to whom, and how to end."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1, this machine only)"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"0 takes one that is free (default: {PORT})")
    parser.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help="ask for a key, any of those in this file, one a line; it is read again when it changes, and on "
        "SIGHUP",
    )
    parser.add_argument(
        "--server-name",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name by which the server is asked, such as that of a proxy before it (default: those "
        "of loopback where it listens there, else any)",
    )
    parser.add_argument(
        "--cors",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin ask, such as https://example.org (default: none)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=30.0,
        metavar="S",
        help="seconds that open requests are given when the server is told to end (default: 30)",
    )


def add_engine_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say how much is done at a time."""
    parser.add_argument(
        "--max-batch", type=int, metavar="N", help="answers that each model writes at a time (default: 32)"
    )
    parser.add_argument("--max-queue", type=int, metavar="N", help="questions that may wait (default: 256)")
    parser.add_argument(
        "--max-tokens", type=int, metavar="N", help="the longest answer that may be asked for (default: 1024)"
    )
    parser.add_argument("--deadline", type=float, metavar="S", help="seconds for each request (default: 300)")
    parser.add_argument(
        "--cache-gb",
        type=float,
        metavar="GB",
        help="memory of each model for pictures, prompts and answers, besides its weights (default: 2)",
    )
    parser.add_argument(
        "--models-gb",
        type=float,
        metavar="GB",
        help="memory for the weights of all models; beyond it the least recently used one is dropped "
        "(default: no bound)",
    )


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where pictures may come from, and how large they may be."""
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="let questions name pictures on this host by http and https addresses (default: none)",
    )
    parser.add_argument(
        "--allow-folder",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="let questions name pictures in this folder by file addresses (default: none)",
    )
    parser.add_argument(
        "--max-pixels",
        type=int,
        metavar="N",
        help="pixels of all pictures of a request together (default: 50,000,000)",
    )

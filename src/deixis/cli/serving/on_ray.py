"""``deixis serve --ray``: the same application on several replicas, and the flags that say how many."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.messages import LOG, NOTICE
from deixis.cli.serving.starting import (
    DEFAULT,
    allowed_sources,
    check_origins,
    engine_of,
    keys_of,
    named_models,
    names_of,
    server_limits,
    warm,
)
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.server.replicas.replica import Served

# Flags that mean something with --ray alone, with what they are without being given.
OF_RAY = (
    ("replicas", None), ("max_replicas", None), ("target_requests", None), ("cpus", None), ("gpus", None),
)  # fmt: skip


def add_ray_flags(parser: argparse.ArgumentParser) -> None:
    """Add --ray and what belongs to it."""
    parser.add_argument(
        "--ray",
        action="store_true",
        help="answer by replicas on Ray Serve, each with an engine of its own: on this machine, or in the "
        "cluster that RAY_ADDRESS names; questions about one picture go to one replica",
    )
    parser.add_argument("--replicas", type=int, metavar="N", help="with --ray: how many (default: 1)")
    parser.add_argument(
        "--max-replicas", type=int, metavar="N", help="with --ray: let their number grow to this under load"
    )
    parser.add_argument(
        "--target-requests",
        type=int,
        metavar="N",
        help="with --max-replicas: open requests a replica that are aimed at (default: 8)",
    )
    parser.add_argument("--cpus", type=float, metavar="N", help="with --ray: of each replica (default: 1)")
    parser.add_argument(
        "--gpus", type=float, metavar="N", help="with --ray: of each replica, also a part of one (default: 0)"
    )


def check_ray_flags(arguments: argparse.Namespace) -> None:
    """Raise UsageError for flags of replicas without --ray."""
    for name, default in OF_RAY:
        if not arguments.ray and getattr(arguments, name) != default:
            raise UsageError(f"--{name.replace('_', '-')} has a meaning with --ray only; leave it out")
    if arguments.max_replicas is None and arguments.target_requests is not None:
        raise UsageError("--target-requests has a meaning with --max-replicas only; leave it out")


@dataclass(frozen=True)
class ReplicaBuild:
    """Makes the application in a replica, as the flags say. hosts: see ``server.guards.host_check``."""

    flags: dict[str, Any]
    hosts: tuple[str, ...] | None

    def __call__(self) -> Served:
        """Return the application with an engine that answers."""
        import warnings

        from deixis.errors import RegionClipped
        from deixis.server.application import create_app
        from deixis.server.replicas.replica import Served

        warnings.simplefilter("ignore", RegionClipped)  # what is cut shows in the answer
        arguments = argparse.Namespace(**self.flags)
        engine = engine_of(arguments).start()
        warm(engine)
        app = create_app(
            engine,
            limits=server_limits(arguments),
            keys=keys_of(arguments),
            pictures=allowed_sources(arguments),
            hosts=self.hosts,
            origins=arguments.cors,
        )
        return Served(app, lambda: engine.alive)


def answer_on_ray(arguments: argparse.Namespace) -> int:
    """Answer on replicas until the process is told to end; returns its exit code."""
    from deixis.server.replicas.deploying import RayOptions, deployed, import_serve
    from deixis.server.running.listening import address_of, listening

    import_serve()
    check_origins(arguments.cors)
    given = {
        "replicas": arguments.replicas,
        "most_replicas": arguments.max_replicas,
        "target_requests": arguments.target_requests,
        "cpus": arguments.cpus,
        "gpus": arguments.gpus,
    }
    options = RayOptions(**{name: value for name, value in given.items() if value is not None})
    limits = server_limits(arguments)
    engine_of(arguments)  # what is missing shows here, not in a replica
    with listening(arguments.host, arguments.port) as sock:  # Ray takes the port that is free here
        address, port = address_of(sock), sock.getsockname()[1]
        names = names_of(sock, arguments, keys=keys_of(arguments))
    build = ReplicaBuild(elsewhere(arguments), None if names is None else tuple(names))
    with deployed(build, options, host=arguments.host, port=port, body_bytes=limits.body_bytes):
        LOG.log(NOTICE, "answering at %s", address)
        told_to_end().wait()
    return 0


def elsewhere(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return flags as they mean the same in another process, whose folder is another one."""
    flags = {name: value for name, value in vars(arguments).items() if not callable(value)}
    models = named_models(arguments.model or [DEFAULT])
    flags["model"] = [
        f"{name}={Path(source).resolve() if Path(source).is_dir() else source}"
        for name, source in models.items()
    ]
    flags["allow_folder"] = [folder.resolve() for folder in arguments.allow_folder]
    if arguments.api_key_file is not None:
        flags["api_key_file"] = arguments.api_key_file.resolve()
    return flags


def told_to_end() -> threading.Event:
    """Return what is set when the process is told to end; the second time it ends at once."""
    ending = threading.Event()

    def on_signal(number: int, _: Any) -> None:
        if ending.is_set():
            os._exit(128 + number)
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return ending

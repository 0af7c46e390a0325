"""The server on replicas of Ray on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deixis.cli.program import build_parser
from deixis.cli.serving.on_ray import ReplicaBuild, elsewhere
from deixis.server.guards.host_check import LOOPBACK
from deixis.server.replicas.deploying import ROUTER, RayOptions, deployed
from deixis.systems.contract import System


@contextmanager
def serving_on_ray(
    models: Mapping[str, System], folder: Path, *, replicas: int = 2, router: str | None = ROUTER
) -> Iterator[str]:
    """The address of a server of models, each saved in a folder below one, on replicas of half a core."""
    words = ["serve", "--device", "cpu", "--cache-gb", "0.05"]
    for name, system in models.items():
        system.save(folder / name)
        words += ["--model", f"{name}={folder / name}"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    build = ReplicaBuild(elsewhere(build_parser(only="serve").parse_args(words)), LOOPBACK)
    with deployed(build, RayOptions(replicas=replicas, cpus=0.5), port=port, router=router):
        yield f"http://127.0.0.1:{port}"

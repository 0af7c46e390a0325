"""From flags to a server that answers until it is told to end."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.messages import LOG, NOTICE
from deixis.cli.serving.outer import outer_engines
from deixis.errors import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from deixis.server.guards.keys import Keys
    from deixis.server.limits import ServerLimits
    from deixis.server.pictures.allowed import AllowedSources
    from deixis.serving.engine import Engine

GB = 1 << 30
DEFAULT = "pointer"  # the embedded model


def answer_at_a_port(
    arguments: argparse.Namespace, create: Callable[..., FastAPI], *, said: str = "answering at {}"
) -> int:
    """Answer as the flags of ``server_flags`` say, until the process is told to end; returns its exit code.

    create: makes the application, as ``server.application.create_app`` does; it may import what it needs only
    then. said: what is told when it
    answers, with the address in it.
    """
    import warnings

    from deixis.errors import RegionClipped
    from deixis.server.running.listening import address_of, listening

    # Whatever can be wrong with the call shows before anything slow is imported or read.
    keys = keys_of(arguments)
    check_origins(arguments.cors)
    if not 0 <= arguments.grace < 1e6:
        raise UsageError(f"--grace is {arguments.grace}; expected 0 or more seconds")
    with listening(arguments.host, arguments.port) as sock:
        given = {"keys": keys, "hosts": names_of(sock, arguments, keys=keys), "origins": arguments.cors}
        from deixis.server.running.graceful import serve

        given |= {"limits": server_limits(arguments), "pictures": allowed_sources(arguments)}
        warnings.simplefilter("ignore", RegionClipped)  # what is cut shows in the answer
        with engine_of(arguments) as engine:
            warm(engine)
            where = said.format(address_of(sock))
            serve(
                create(engine, **given),
                sock,
                grace=arguments.grace,
                ready=lambda: LOG.log(NOTICE, "%s", where),
                keys=keys,
            )
    return 0


def names_of(
    sock: socket.socket, arguments: argparse.Namespace, *, keys: Keys | None
) -> Collection[str] | None:
    """Return the names by which the server may be asked, None for any; warns if everybody may ask."""
    from deixis.server.guards.host_check import LOOPBACK
    from deixis.server.running.listening import is_loopback

    inside = is_loopback(sock)
    if not inside and keys is None:
        LOG.warning("whoever reaches this machine may ask; --api-key-file FILE asks for a key")
    named = (*LOOPBACK, arguments.host, *arguments.server_name)
    return named if inside or arguments.server_name else None


def keys_of(arguments: argparse.Namespace) -> Keys | None:
    """Return the keys that are asked for."""
    from deixis.server.guards.keys import Keys

    return None if arguments.api_key_file is None else Keys.from_file(arguments.api_key_file)


def allowed_sources(arguments: argparse.Namespace) -> AllowedSources:
    """Return where pictures may come from."""
    from deixis.server.pictures.allowed import AllowedSources

    return AllowedSources(tuple(arguments.allow_host), tuple(arguments.allow_folder))


def server_limits(arguments: argparse.Namespace) -> ServerLimits:
    """Return the limits of requests."""
    from deixis.server.limits import ServerLimits

    given = {
        "tokens": arguments.max_tokens,
        "deadline": arguments.deadline,
        "pixels": arguments.max_pixels,
    }
    return ServerLimits(**{name: value for name, value in given.items() if value is not None})


def engine_of(arguments: argparse.Namespace) -> Engine:
    """Return the engine with the models that the flags name; nothing is loaded yet, what is missing shows."""
    from deixis.serving.engine import Engine, EngineLimits, Models

    sources = named_models(arguments.model or [DEFAULT])
    models = Models(
        sources,
        device=arguments.device,
        dtype=arguments.dtype,
        budget=bytes_of(arguments.models_gb, "--models-gb"),
        elsewhere=outer_engines(arguments.outer, sources),
    )
    given = {
        "rows": arguments.max_batch,
        "queue": arguments.max_queue,
        "cache_bytes": bytes_of(arguments.cache_gb, "--cache-gb"),
    }
    return Engine(
        models, limits=EngineLimits(**{name: value for name, value in given.items() if value is not None})
    )


def named_models(words: list[str]) -> dict[str, str]:
    """Return models by the names that they are asked by; UsageError where two have one name.

    >>> named_models(["pointer", "out/ferret", "small=out/run7"])
    {'pointer': 'pointer', 'ferret': 'out/ferret', 'small': 'out/run7'}
    """
    named: dict[str, str] = {}
    for word in words:
        name, equals, source = word.partition("=")
        if not equals or "/" in name or not name:
            name, source = Path(word).name or word, word
        if not source:
            raise UsageError(f"--model is {word!r:.100}; expected a system's name or a folder")
        if name in named:
            raise UsageError(
                f"two models are called {name!r:.100}; give one another name: --model other={source}"
            )
        named[name] = source
    return named


def bytes_of(gigabytes: float | None, flag: str) -> int | None:
    """Return memory in bytes."""
    if gigabytes is None:
        return None
    if not 0 < gigabytes < 1e6:
        raise UsageError(f"{flag} is {gigabytes}; expected gigabytes, more than 0")
    return max(round(gigabytes * GB), 1)


def check_origins(origins: list[str]) -> None:
    """Raise UsageError for what is no origin of pages."""
    for origin in origins:
        scheme, _, host = origin.partition("://")
        if origin != "*" and (scheme not in ("http", "https") or not host or "/" in host):
            raise UsageError(
                f"--cors is {origin!r:.100}; expected an origin such as https://example.org, or *"
            )


def warm(engine: Engine) -> None:
    """Load the first model before anybody waits for it; what is wrong with it is raised."""
    import numpy as np

    from deixis.engine.settings import Settings
    from deixis.pictures.opening import open_picture
    from deixis.serving.asked import Asked

    grey = open_picture(np.full((64, 64, 3), 128, dtype=np.uint8))
    engine.ask(Asked(None, (grey,), "What is in the picture?", settings=Settings(max_new_tokens=1)))

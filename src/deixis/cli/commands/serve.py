"""`deixis serve`: answers over HTTP, as OpenAI's protocol has them, with places."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deixis.cli.serving.on_ray import add_ray_flags, answer_on_ray, check_ray_flags
from deixis.cli.serving.server_flags import add_server_flags
from deixis.cli.serving.starting import answer_at_a_port

if TYPE_CHECKING:
    from fastapi import FastAPI

    from deixis.serving.engine import Engine

HELP = "answer over HTTP, as OpenAI's protocol has it, with regions in questions and places in answers"
EXAMPLE = "deixis serve --model pointer --port 8000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis serve`."""
    add_server_flags(parser)
    add_ray_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer until the process is told to end."""
    check_ray_flags(arguments)
    if arguments.ray:
        return answer_on_ray(arguments)
    return answer_at_a_port(arguments, application)


def application(engine: Engine, **given: Any) -> FastAPI:
    """Return the application; its packages are imported when the port is known to be free."""
    from deixis.server.application import create_app

    return create_app(engine, **given)

"""One browser for all tests of the page; a page whose console and requests are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deixis.pictures.opening import open_picture
from deixis.serving.asked import Asked
from deixis.serving.engine import Engine
from deixis.serving.models import Models
from deixis.studio.application import create_studio
from tests.studio.browser import Served, launched
from tests.studio.desk import Desk, picture
from tests.studio.scripted_server import Script, scripted_app
from tests.systems.pointer.tiny import tiny_system


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Not for the whole session: while it is open its thread has a running event loop, and others start one.
    with launched() as found:
        yield found


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def scripted(script: Script) -> Iterator[Served]:
    served = Served(scripted_app(script))
    yield served
    served.kill()


@pytest.fixture
def open_desk(browser: Any) -> Iterator[Callable[..., Desk]]:
    """Open the page; in the end nothing may have gone wrong in it, and nothing been asked of anybody else."""
    opened: list[Desk] = []

    def open_one(served: Served, **context: Any) -> Desk:
        desk = Desk(browser, served, **context)
        opened.append(desk)
        return desk

    yield open_one
    for desk in opened:
        desk.close()


@pytest.fixture(scope="session")
def real() -> Iterator[Served]:
    """The studio itself: an engine with the embedded model, and a tiny random one beside it."""
    with Engine(Models({"pointer": "pointer", "tiny": tiny_system()}, device="cpu")) as engine:
        for name in ("pointer", "tiny"):
            engine.ask(Asked(name, (open_picture(picture()),), "what is it?"))  # loaded
        served = Served(create_studio(engine))
        yield served
        served.kill()

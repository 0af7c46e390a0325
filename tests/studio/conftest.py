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


@pytest.fixture(scope="module")
def one_script() -> Script:
    return Script()


@pytest.fixture(scope="module")
def scripted(one_script: Script) -> Iterator[Served]:
    served = Served(scripted_app(one_script))
    yield served
    served.kill()


@pytest.fixture
def script(one_script: Script) -> Script:
    """What the scripted server answers; each test starts with the same."""
    vars(one_script).update(vars(Script()))
    return one_script


@pytest.fixture(scope="module")
def desks(browser: Any) -> Iterator[dict[str, Desk]]:
    """The pages that are open, by server and kind of window; a test that needs one loads it anew."""
    opened: dict[str, Desk] = {}
    yield opened
    for desk in opened.values():
        desk.context.close()


@pytest.fixture
def open_desk(browser: Any, script: Script, desks: dict[str, Desk]) -> Iterator[Callable[..., Desk]]:
    """Open the page; in the end nothing may have gone wrong in it, and nothing been asked of anybody else."""
    used: list[Desk] = []

    def open_one(served: Served, *, lenient: bool = False, **context: Any) -> Desk:
        name = f"{served.port} {sorted(context.items())}"
        if name in desks and desks[name] not in used:
            desks[name].begin(lenient=lenient)
        else:
            name = name if name not in desks else f"{name} {len(desks)}"
            desks[name] = Desk(browser, served, lenient=lenient, **context)
        used.append(desks[name])
        return desks[name]

    yield open_one
    for desk in used:
        desk.check()


@pytest.fixture(scope="session")
def real() -> Iterator[Served]:
    """The studio itself: an engine with the embedded model, and a tiny random one beside it."""
    with Engine(Models({"pointer": "pointer", "tiny": tiny_system()}, device="cpu")) as engine:
        for name in ("pointer", "tiny"):
            engine.ask(Asked(name, (open_picture(picture()),), "what is it?"))  # loaded
        served = Served(create_studio(engine))
        yield served
        served.kill()

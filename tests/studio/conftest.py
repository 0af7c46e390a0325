"""One browser for all tests of the page; a page whose console and requests are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.studio.browser import Served, launched
from tests.studio.desk import Desk
from tests.studio.scripted_server import Script, scripted_app


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
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

"""What tests of the engine share: a tiny model behind it, and a list of what somebody was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from deixis.answers.grounded import Answer
from deixis.pictures.opening import Picture
from deixis.serving.asked import Asked, Event, Failed, Finished, Progress
from deixis.serving.engine import Engine
from deixis.serving.limits import EngineLimits
from deixis.serving.models import Models
from deixis.systems.contract import System
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = noise_picture()
WAIT = 20.0  # seconds after which a test is wrong, not slow


class Told:
    """Keeps the events of a request, and lets tests wait for the last one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.over, self.begun = threading.Event(), threading.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.begun.set()
        if not isinstance(event, Progress):
            self.over.set()

    def last(self) -> Finished | Failed:
        """Wait for the last event and return it."""
        assert self.over.wait(WAIT), f"nothing came after {self.events}"
        event = self.events[-1]
        assert isinstance(event, Finished | Failed)
        assert all(isinstance(one, Progress) for one in self.events[:-1])
        return event

    def answer(self) -> Answer:
        last = self.last()
        assert isinstance(last, Finished), last
        return last.answer

    def error(self) -> Exception:
        last = self.last()
        assert isinstance(last, Failed), last
        return last.error

    def text(self) -> str:
        """Return all that was told, put together."""
        self.last()
        return "".join(one.delta.text for one in self.events if isinstance(one, Progress))


def served(system: System | None = None, **limits: Any) -> Engine:
    """Return an engine with one tiny model."""
    return Engine(Models({"tiny": system or tiny_system()}), limits=EngineLimits(**limits))


def asked(question: str = "where is the dog?", picture: Picture = PICTURE, **more: Any) -> Asked:
    """Return a question to the default model."""
    return Asked(more.pop("model", None), (picture,), question, **more)


class Gated:
    """Lets a tiny system step only as often as a test says, so that answers stay half written.

    reached: how many steps were begun. ``open`` lets it run freely.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self._allowed = threading.Semaphore(0)
        self._free = threading.Event()
        self._begun = threading.Condition()
        self.reached = 0
        self._step = system.decoder.step
        system.decoder.step = self._waiting_step  # type: ignore[method-assign]

    def _waiting_step(self, *given: Any, **more: Any) -> Any:
        with self._begun:
            self.reached += 1
            self._begun.notify_all()
        if not self._free.is_set():
            assert self._allowed.acquire(timeout=WAIT)
        return self._step(*given, **more)

    def allow(self, steps: int = 1) -> None:
        """Let it take so many steps."""
        self._allowed.release(steps)

    def open(self) -> None:
        """Let it run freely from now on."""
        self._free.set()
        self._allowed.release(1)

    def wait(self, steps: int = 1) -> None:
        """Wait until so many steps were begun."""
        with self._begun:
            assert self._begun.wait_for(lambda: self.reached >= steps, WAIT)


def until(what: Callable[[], object], seconds: float = WAIT) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.005)

"""What tests of the engine share: a tiny model behind it, and a list of what somebody was told."""

from __future__ import annotations

import threading
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
WAIT = 60.0  # seconds after which a test is wrong, not slow


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

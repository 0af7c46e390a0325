"""Where all open requests are known: those that wait, in their queues, and those that models work on."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import get_args

from deixis.errors import Cancelled, DeixisError, EngineStopped, QueueFull
from deixis.serving.asked import Failed, Finished
from deixis.serving.limits import EngineLimits
from deixis.serving.open_request import OpenRequest, Outcome, Stage
from deixis.serving.statistics import FIRST_TOKEN_BOUNDS, TOKEN_BOUNDS, Meter
from deixis.serving.waiting import WaitingQueue

RECENT = 16  # answers that the speed is measured by
SOONEST, LATEST = 1.0, 60.0  # seconds after which to try again


class Desk:
    """Open requests, shared by the threads of an engine.

    condition: notified when a request comes, is taken back or ends, and when a model's thread ends; what is
    here is read and changed while it is held. Owners are told outside of it.
    """

    def __init__(self, limits: EngineLimits) -> None:
        self.limits = limits
        self.condition = threading.Condition()
        self.closed_by: str | None = "it has not been started"
        self.ended: Counter[str] = Counter()
        self.refused = 0
        self.first_token, self.token = Meter(FIRST_TOKEN_BOUNDS), Meter(TOKEN_BOUNDS)
        self._open: dict[int, OpenRequest] = {}
        self._waiting: dict[str, WaitingQueue] = {}
        self.version = 0  # of what is here; it grows with every change
        self._number = 0
        self._answered: deque[float] = deque(maxlen=RECENT)  # when the latest ones ended

    def put(self, make: Sequence[Callable[[int], OpenRequest]]) -> list[OpenRequest]:
        """Take new requests, made for their numbers: all of them, or none.

        QueueFull: too many wait. EngineStopped: none are taken any more.
        """
        with self.condition:
            if self.closed_by is not None:
                raise EngineStopped(f"the engine takes no questions: {self.closed_by}")
            waiting = self.queue_length()
            if waiting + len(make) > self.limits.queue:
                self.refused += len(make)
                raise QueueFull(
                    f"{waiting} questions wait, and at most {self.limits.queue} may; try again in "
                    f"{self.retry_after():.0f} s, or allow more (queue)",
                    retry_after=self.retry_after(),
                )
            requests = []
            for one in make:
                self._number += 1
                request = one(self._number)
                self._open[request.number] = request
                self._waiting.setdefault(request.model, WaitingQueue()).put(request)
                requests.append(request)
            self.changed()
        return requests

    def changed(self) -> None:
        """Wake whoever looks after what is here."""
        with self.condition:
            self.version += 1
            self.condition.notify_all()

    def take(self, model: str, most: int, *, before: float | None = None) -> list[OpenRequest]:
        """Return waiting requests of a model that are to be prepared now."""
        with self.condition:
            queue = self._waiting.get(model)
            taken = [] if queue is None else queue.take(most, before=before)
            for request in taken:
                request.stage = "preparing"
        return taken

    def end(self, request: OpenRequest, event: Finished | Failed, outcome: Outcome) -> None:
        """Send a request's last event and forget it; nothing happens if it was over."""
        if not request.end(event, outcome):
            return
        with self.condition:
            self.ended[outcome] += 1
            if outcome == "answered":
                self._answered.append(time.monotonic())
            self._open.pop(request.number, None)
            queue = self._waiting.get(request.model)
            if queue is not None:
                queue.remove(request)
                if not queue:
                    del self._waiting[request.model]
            self.changed()

    def cancel(self, request: OpenRequest) -> None:
        """Let a request be taken back; its last event comes in the engine's thread."""
        with self.condition:
            request.cancelled = True
            self.changed()

    def end_unwanted(self) -> None:
        """End what was taken back before any of it was written, and what has become too late."""
        now = time.monotonic()
        for request in self.requests():
            if request.due is not None and request.due <= now:
                self.end(request, request.late(), "late")
            elif request.cancelled and request.stage != "writing":
                self.end(request, Failed(Cancelled("the question was taken back")), "cancelled")

    def end_all(self, error: DeixisError, *, model: str | None = None) -> None:
        """End all open requests, or those of a model, without an answer."""
        for request in self.requests(model):
            self.end(request, Failed(error), "failed")

    def close(self, reason: str) -> None:
        """Take no further requests."""
        with self.condition:
            self.closed_by = reason
            self.changed()

    def requests(self, model: str | None = None) -> list[OpenRequest]:
        """Return all open requests, or those of a model."""
        with self.condition:
            return [one for one in self._open.values() if model is None or one.model == model]

    def next_due(self) -> float | None:
        """Return when the next deadline passes; None if nobody has one."""
        return min((one.due for one in self.requests() if one.due is not None), default=None)

    def wanted(self) -> dict[str, float]:
        """Return the models that requests wait for, and since when; the longest waiting first."""
        with self.condition:
            since = {model: queue.oldest() for model, queue in self._waiting.items()}
        return dict(
            sorted(((model, at) for model, at in since.items() if at is not None), key=lambda it: it[1])
        )

    def waiting(self, model: str, *, before: float | None = None) -> bool:
        """Tell whether requests of a model wait that arrived before a time."""
        with self.condition:
            queue = self._waiting.get(model)
            oldest = None if queue is None else queue.oldest()
        return oldest is not None and (before is None or oldest < before)

    def stages(self) -> dict[str, int]:
        """Return how many requests are at each stage."""
        counted = Counter(one.stage for one in self.requests())
        return {stage: counted[stage] for stage in get_args(Stage)}

    def queue_length(self) -> int:
        """Return how many requests wait."""
        with self.condition:
            return sum(map(len, self._waiting.values()))

    def retry_after(self) -> float:
        """Return after how many seconds a quarter of those that wait may have been answered."""
        with self.condition:
            recent, waiting = list(self._answered), self.queue_length()
        if len(recent) < 2:
            return SOONEST
        seconds = (time.monotonic() - recent[0]) / (len(recent) - 1) * waiting / 4
        return min(max(seconds, SOONEST), LATEST)

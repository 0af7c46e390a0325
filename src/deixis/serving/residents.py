"""Which models are in memory: loaded when they are asked for, the least recently used dropped for others."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from deixis.errors import DeixisError
from deixis.serving.desk import Desk
from deixis.serving.models import Loading, Models, ModelState
from deixis.serving.statistics import BytesHeld, WorkDone
from deixis.serving.worker import ModelWorker
from deixis.systems.contract import System

LOG = logging.getLogger("deixis")


class Residents:
    """The loaded models of an engine; only the engine's thread calls ``manage`` and ``close``.

    loads, drops, deaths: how often a model was loaded, made room for another one, and failed.
    """

    def __init__(self, models: Models, desk: Desk) -> None:
        self.models, self._desk = models, desk
        self.loads = self.drops = self.deaths = 0
        self._workers: dict[str, ModelWorker] = {}
        self._failures: dict[str, DeixisError] = {}
        self._past = WorkDone()  # of models that are gone

    def manage(self) -> float | None:
        """Bury models that have ended and load those that are asked for.

        Returns in how many seconds to look again, if that isn't only when something happens.
        """
        for name, worker in list(self._workers.items()):
            if worker.ended:
                self._bury(name, worker)
        for worker in self._workers.values():
            worker.before = None
        for name, since in self._desk.wanted().items():
            if name in self._workers:
                continue
            if not self._room_for(name, since=since):  # who came later doesn't take the room
                return max(since + self._desk.limits.patience - time.monotonic(), 0.01)
            LOG.info("model %r is being loaded", name)
            self.loads += 1
            worker = self._workers[name] = ModelWorker(name, self.models, self._desk)
            worker.start()
        return None

    def close(self, seconds: float) -> None:
        """Let all models end, and wait for them for so long."""
        for worker in self._workers.values():
            worker.leave()
        until = time.monotonic() + seconds
        for worker in self._workers.values():
            if not worker.join(max(until - time.monotonic(), 0)):
                LOG.warning("model %r has not ended within %g s", worker.name, seconds)

    def states(self) -> list[ModelState]:
        """Return what there is to say of every model."""
        wanted = self._desk.wanted()
        return [self._state(name, wanted=name in wanted) for name in self.models.names]

    def system(self, name: str) -> System | None:
        """Return the system of a model; None unless it is loaded."""
        worker = self._workers.get(name)
        return None if worker is None else worker.system

    @property
    def work(self) -> WorkDone:
        """Return what all models have computed, those that are gone included."""
        return sum((worker.work for worker in list(self._workers.values())), self._past)

    @property
    def held(self) -> BytesHeld:
        """Return the memory that all models use."""
        return sum((worker.held for worker in list(self._workers.values())), BytesHeld())

    @property
    def loaded(self) -> int:
        """Return how many models are loaded."""
        return sum(worker.loaded for worker in list(self._workers.values()))

    def _state(self, name: str, *, wanted: bool) -> ModelState:
        worker, failure = self._workers.get(name), self._failures.get(name)
        state: Loading = "absent"
        if worker is not None and not worker.ended:
            state = "loaded" if worker.loaded else "loading"
        elif wanted:
            state = "waiting"
        elif failure is not None:
            state = "failed"
        known = self.models.described(name)
        return replace(
            known,
            loaded=state == "loaded",
            bytes=known.bytes if worker is None else worker.bytes,
            state=state,
            failure=str(failure) if state == "failed" else None,
            open=len(self._desk.requests(name)),
        )

    def _bury(self, name: str, worker: ModelWorker) -> None:
        """Forget a model that has ended; if it failed, whoever asked for it is told."""
        del self._workers[name]
        self._past += worker.work
        self._failures.pop(name, None)
        if worker.failure is not None:
            self.deaths += 1
            self._failures[name] = worker.failure
            self._desk.end_all(worker.failure, model=name)

    def _room_for(self, name: str, *, since: float) -> bool:
        """Tell whether a model fits; if not, others are asked to leave.

        Those in use are not. Once somebody has waited for longer than the patience, they take no questions
        that came later, so that they come to rest.
        """
        budget, needed = self.models.budget, self.models.expected_bytes(name)
        if budget is None:
            return True
        over = sum(worker.bytes for worker in self._workers.values()) + needed - budget
        if over <= 0:
            return True
        staying = [worker for worker in self._workers.values() if not self.models.is_held(worker.name)]
        for worker in sorted(staying, key=lambda one: (not one.leaving, one.last_used)):
            if over <= 0:
                break
            if time.monotonic() - since > self._desk.limits.patience:
                worker.before = since
            if worker.leaving or self._leaves(worker):
                over -= worker.bytes
        return False

    def _leaves(self, worker: ModelWorker) -> bool:
        """Ask a model to leave unless it is in use."""
        with self._desk.condition:
            if worker.busy:
                return False
            worker.leave()
        self.drops += 1
        LOG.info("model %r makes room", worker.name)
        return True

"""One loaded model: a thread that prepares its questions, beside one that writes its answers."""

from __future__ import annotations

import gc
import logging
import threading
import time
import traceback
from collections import deque

import torch

from deixis.errors import DeixisError, ModelFailed
from deixis.serving.desk import Desk
from deixis.serving.models import Models, weight_bytes
from deixis.serving.open_request import OpenRequest
from deixis.serving.preparing import Ready, made_ready
from deixis.serving.statistics import BytesHeld, WorkDone
from deixis.serving.writing import Writing
from deixis.systems.contract import System
from deixis.systems.encoded import EncodedCache

LOG = logging.getLogger("deixis")


class ModelWorker:
    """A model from when it begins to load until it is dropped.

    Preparing has a thread of its own, because a picture takes as long to encode as many tokens to write:
    those who are being answered don't stand still meanwhile.

    bytes: of its weights, expected ones while it loads. loaded, leaving, ended: how far it is. failure: why
    it ended, if not because it was asked to. last_used: when it last took a request (monotonic seconds).
    before: only requests that arrived earlier are taken; None takes all.
    """

    def __init__(self, name: str, models: Models, desk: Desk) -> None:
        self.name, self._models, self._desk = name, models, desk
        self.bytes = models.expected_bytes(name)
        self.loaded = self.leaving = self.ended = False
        self.failure: DeixisError | None = None
        self.last_used = time.monotonic()
        self.before: float | None = None
        self._preparing: list[OpenRequest] = []
        self._ready: deque[Ready] = deque()
        self._writing: Writing | None = None
        self._system: System | None = None
        self._past = WorkDone()
        self._thread = threading.Thread(target=self._run, name=f"deixis: {name}", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Tell whether it works on a request, or would take a waiting one."""
        waiting = self._desk.waiting(self.name, before=self.before)
        return not self.loaded or waiting or self._at_hand() > 0

    def leave(self) -> None:
        """Let its threads end as soon as they are between two tokens and two pictures."""
        with self._desk.condition:
            self.leaving = True
            self._desk.changed()

    def join(self, seconds: float | None = None) -> bool:
        """Wait until the threads have ended; False if they have not in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def system(self) -> System | None:
        """Return its system; None before it is loaded and after it is dropped."""
        return self._system

    @property
    def work(self) -> WorkDone:
        """Return what it has computed."""
        writing, system = self._writing, self._system
        if writing is None or system is None:
            return self._past
        pictures = system.encoded_pictures
        return writing.work + WorkDone(pictures_encoded=pictures.misses, pictures_known=pictures.hits)

    @property
    def held(self) -> BytesHeld:
        """Return the memory it uses."""
        writing, system = self._writing, self._system
        if writing is None or system is None:
            return BytesHeld(models=self.bytes)
        return writing.held + BytesHeld(models=self.bytes, pictures=system.encoded_pictures.nbytes)

    def _run(self) -> None:
        try:
            writing = self._opened()
            preparing = threading.Thread(
                target=self._prepare, name=f"deixis: {self.name}, preparing", daemon=True
            )
            preparing.start()
            try:
                self._write(writing)
            finally:
                self.leave()
                preparing.join()
        except BaseException as fault:
            self._failed(fault)
        self._let_go()

    def _opened(self) -> Writing:
        """Open the system and give it its share of the memory."""
        system = self._models.open(self.name)
        limits = self._desk.limits
        system.encoded_pictures = EncodedCache(budget=limits.picture_bytes)
        writing = Writing(
            system,
            self._desk,
            weights=system.fingerprint(),
            elsewhere=self._models.elsewhere.get(self.name),
        )
        with self._desk.condition:
            self._system, self._writing = system, writing
            self.bytes, self.loaded = weight_bytes(system), True
            self._desk.changed()
        return writing

    def _prepare(self) -> None:
        """Take requests as there is room for them, until the model is let go or fails."""
        try:
            while self._take():
                assert self._system is not None
                for ready in made_ready(self._system, self._preparing, self._desk):
                    with self._desk.condition:
                        self._ready += ready
                        done = {request.number for request, _ in ready}
                        self._preparing = [one for one in self._preparing if one.number not in done]
                        self._desk.changed()
                self._preparing = []
        except BaseException as fault:
            self._failed(fault)
            self.leave()

    def _take(self) -> bool:
        """Wait for requests and take them to be prepared; False once there will be no more."""
        with self._desk.condition:
            self._desk.condition.wait_for(lambda: self.leaving or self._to_take())
            if self.leaving:
                return False
            self._preparing = self._desk.take(self.name, self._room(), before=self.before)
            self.last_used = time.monotonic()
        return True

    def _write(self, writing: Writing) -> None:
        """Write answers until the model is let go."""
        while True:
            with self._desk.condition:
                self._desk.condition.wait_for(lambda: self.leaving or self._ready or not writing.idle)
                if self.leaving:
                    return
                ready = [self._ready.popleft() for _ in range(len(self._ready))]
                writing.count += len(ready)
            writing.add(ready)
            before = writing.count
            writing.advance()
            if writing.count < before:  # there is room for others
                self._desk.changed()

    def _room(self) -> int:
        """Return how many more requests may be taken: as many as are written, and a few to go on with."""
        limits = self._desk.limits
        return limits.rows + limits.encode - self._at_hand()

    def _at_hand(self) -> int:
        writing = 0 if self._writing is None else self._writing.count
        return len(self._preparing) + len(self._ready) + writing

    def _to_take(self) -> bool:
        return self._room() > 0 and self._desk.waiting(self.name, before=self.before)

    def _failed(self, fault: BaseException) -> None:
        LOG.error("model %r has failed", self.name, exc_info=fault)
        did = "stopped" if self.loaded else "could not be loaded"
        told = f"model {self.name!r} {did}: {type(fault).__name__}: {fault}"
        failure = fault if isinstance(fault, DeixisError) else ModelFailed(told)
        if self.failure is None:
            self.failure = failure.with_traceback(None)
        # What the frames of a traceback hold, tensors among it, would stay as long as the error.
        traceback.clear_frames(fault.__traceback__)
        fault.__traceback__ = None

    def _let_go(self) -> None:
        """Give the memory back and say that the model has ended."""
        self._past = self.work
        self._writing = self._system = None
        self._ready.clear()
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        with self._desk.condition:
            self.ended, self.loaded = True, False
            self._desk.changed()

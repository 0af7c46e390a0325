"""One loaded model: a thread that prepares its questions and writes its answers, as many at a time as fit."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Sequence

import torch

from deixis.engine.loop import Event
from deixis.errors import DeixisError, ModelFailed
from deixis.serving.asked import Failed, Finished, Progress
from deixis.serving.desk import Desk
from deixis.serving.models import Models, weight_bytes
from deixis.serving.one_by_one import OneByOne
from deixis.serving.open_request import OpenRequest, Outcome
from deixis.serving.statistics import BytesHeld, WorkDone
from deixis.systems.contract import Prepared, System

LOG = logging.getLogger("deixis")


class ModelWorker:
    """A model from when it begins to load until it is dropped.

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
        self._active: dict[int, tuple[OpenRequest, Prepared]] = {}  # by the decoding's tickets
        self._preparing: list[OpenRequest] = []
        self._done = WorkDone()
        self._thread = threading.Thread(target=self._run, name=f"deixis: {name}", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Tell whether it works on a request, or would take a waiting one."""
        waiting = self._desk.waiting(self.name, before=self.before)
        return not self.loaded or waiting or bool(self._active or self._preparing)

    def leave(self) -> None:
        """Let the thread end as soon as it is between two tokens."""
        with self._desk.condition:
            self.leaving = True
            self._desk.changed()

    def join(self, seconds: float | None = None) -> bool:
        """Wait until the thread has ended; False if it has not in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def work(self) -> WorkDone:
        """Return what it has computed."""
        return self._done

    @property
    def held(self) -> BytesHeld:
        """Return the memory it uses."""
        return BytesHeld(models=self.bytes)

    def _run(self) -> None:
        try:
            self._serve(self._loaded())
        except BaseException as fault:
            LOG.exception("model %r has failed", self.name)
            did = "stopped" if self.loaded else "could not be loaded"
            told = f"model {self.name!r} {did}: {fault or type(fault).__name__}"
            self.failure = fault if isinstance(fault, DeixisError) else ModelFailed(told)
        self._active.clear()
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        with self._desk.condition:
            self.ended, self.loaded = True, False
            self._desk.changed()

    def _loaded(self) -> System:
        system = self._models.open(self.name)
        with self._desk.condition:
            self.bytes, self.loaded = weight_bytes(system), True
            self._desk.changed()
        return system

    def _serve(self, system: System) -> None:
        decoding = OneByOne(system.decoder, prefixes=system.prefixes)
        while True:
            with self._desk.condition:
                self._desk.condition.wait_for(lambda: self.leaving or self._active or self._to_take())
                if self.leaving:
                    return
                self._preparing = self._desk.take(self.name, self._room(), before=self.before)
                if self._preparing:
                    self.last_used = time.monotonic()
            for request, prepared in self._prepared(system, self._preparing):
                self._submit(decoding, request, prepared)
            self._preparing = []
            for ticket, (request, _) in list(self._active.items()):
                if request.unwanted:
                    decoding.cancel(ticket)
            if not decoding.idle:
                for event in decoding.advance():
                    self._pass_on(system, event)

    def _room(self) -> int:
        return max(self._desk.limits.rows - len(self._active), 0)

    def _to_take(self) -> bool:
        return self._room() > 0 and self._desk.waiting(self.name, before=self.before)

    def _prepared(
        self, system: System, requests: Sequence[OpenRequest]
    ) -> list[tuple[OpenRequest, Prepared]]:
        """Return requests with what is to be decoded for them; those that can't be answered are ended."""
        ready = []
        for request in requests:
            if request.unwanted:
                continue
            try:
                system.check_settings(request.asked.settings)
                system.check_pictures(request.question.pictures)
                (prepared,) = system.prepare([request.question], request.asked.settings)
                ready.append((request, prepared))
            except DeixisError as fault:
                self._desk.end(request, Failed(fault), "failed")
        return ready

    def _submit(self, decoding: OneByOne, request: OpenRequest, prepared: Prepared) -> None:
        request.stage = "reading"
        try:
            self._active[decoding.submit(prepared.request)] = request, prepared
        except DeixisError as fault:
            self._desk.end(request, Failed(fault), "failed")

    def _pass_on(self, system: System, event: Event) -> None:
        request, prepared = self._active[event.number]
        if event.completion is not None:
            del self._active[event.number]
        if request.over:
            return
        self._measure(request)
        if event.delta.text or event.delta.spans:
            request.tell(Progress(event.delta))
        if event.completion is None:
            return
        try:
            answer = system.answered(prepared, event.completion, seconds=time.monotonic() - request.arrived)
        except DeixisError as fault:
            self._desk.end(request, Failed(fault), "failed")
            return
        outcome: Outcome = "cancelled" if answer.finish == "cancelled" else "answered"
        finished = Finished(answer, prompt_tokens=len(prepared.request.embedded))
        self._desk.end(request, finished, outcome)

    def _measure(self, request: OpenRequest) -> None:
        now = time.monotonic()
        if request.last is None:
            request.stage = "writing"
            self._desk.first_token.add(now - request.arrived)
        else:
            self._desk.token.add(now - request.last)
        request.last = now

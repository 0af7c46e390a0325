"""Answers of one model while they are written: who asked is told of every token."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from deixis.engine.loop import Event
from deixis.engine.prefixes import PrefixCache
from deixis.errors import DeixisError, ModelFailed
from deixis.serving.asked import Failed, Finished, Progress
from deixis.serving.desk import Desk
from deixis.serving.one_by_one import OneByOne
from deixis.serving.open_request import OpenRequest, Outcome
from deixis.serving.preparing import Ready
from deixis.serving.statistics import BytesHeld, WorkDone
from deixis.systems.contract import System

LOG = logging.getLogger("deixis")


class Writing:
    """The requests of a model that are read and written; used by one thread.

    count: how many there are.
    """

    def __init__(self, system: System, desk: Desk) -> None:
        self._system, self._desk = system, desk
        system.prefixes = PrefixCache(budget=desk.limits.prefix_bytes)
        self._decoding = OneByOne(system.decoder, prefixes=system.prefixes)
        self._open: dict[int, Ready] = {}  # by the decoding's tickets
        self.count = 0

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self._open and self._decoding.idle

    @property
    def work(self) -> WorkDone:
        """Return what was read and written."""
        return WorkDone()

    @property
    def held(self) -> BytesHeld:
        """Return the memory that is in use."""
        return BytesHeld()

    def add(self, ready: Sequence[Ready]) -> None:
        """Let prepared requests be read; those that could never fit are ended."""
        for request, prepared in ready:
            if request.unwanted:
                continue
            request.stage = "reading"
            try:
                self._open[self._decoding.submit(prepared.request)] = request, prepared
            except DeixisError as fault:
                self._desk.end(request, Failed(fault), "failed")

    def advance(self) -> None:
        """Write one token of every answer; what nobody wants any more makes room."""
        for ticket, (request, _) in self._open.items():
            if request.unwanted:
                self._decoding.cancel(ticket)
        if not self._decoding.idle:
            for event in self._decoding.advance():
                self._pass_on(event)
        self.count = len(self._open)

    def _pass_on(self, event: Event) -> None:
        """Tell whoever asked what became certain."""
        request, prepared = self._open[event.number]
        if event.completion is not None:
            del self._open[event.number]
        if request.over:
            return
        if event.completion is None or event.completion.ids:
            self._measure(request)
        if event.delta.text or event.delta.spans:
            request.tell(Progress(event.delta))
        if event.completion is None:
            return
        try:
            seconds = time.monotonic() - request.arrived
            answer = self._system.answered(prepared, event.completion, seconds=seconds)
        except DeixisError as fault:
            self._desk.end(request, Failed(fault), "failed")
        except Exception as fault:
            LOG.exception("the answer to request %d could not be read", request.number)
            told = f"the answer could not be read: {type(fault).__name__}: {fault}"
            self._desk.end(request, Failed(ModelFailed(told)), "failed")
        else:
            outcome: Outcome = "cancelled" if answer.finish == "cancelled" else "answered"
            positions = len(prepared.request.embedded)
            self._desk.end(request, Finished(answer, prompt_tokens=positions), outcome)

    def _measure(self, request: OpenRequest) -> None:
        now = time.monotonic()
        if request.last is None:
            request.stage = "writing"
            self._desk.first_token.add(now - request.arrived)
        else:
            self._desk.token.add(now - request.last)
        request.last = now

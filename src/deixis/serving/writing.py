"""Answers of one model while they are written: who asked is told of every token."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deixis.engine.continuous import BatchLimits, Broken, ContinuousDecoding, Event
from deixis.engine.policy import Completion, Request
from deixis.engine.prefixes import PrefixCache
from deixis.errors import DeixisError, ModelFailed
from deixis.serving.asked import Failed, Finished, Progress
from deixis.serving.desk import Desk
from deixis.serving.open_request import OpenRequest
from deixis.serving.outer.decoding import OuterDecoding
from deixis.serving.preparing import Ready
from deixis.serving.statistics import BytesHeld, WorkDone
from deixis.systems.contract import System
from deixis.systems.prompt import Prepared

LOG = logging.getLogger("deixis")


@dataclass(frozen=True)
class Writer:
    """A request that is read or written. known: how many positions of its prompt had been read before."""

    request: OpenRequest
    prepared: Prepared
    known: int


class Writing:
    """The requests of a model that are read and written; used by one thread.

    count: how many there are. weights: the fingerprint that answers tell. elsewhere: the engine that writes
    instead of the system's own decoder.
    """

    def __init__(
        self, system: System, desk: Desk, *, weights: str = "", elsewhere: OuterDecoding | None = None
    ) -> None:
        self._system, self._desk, self._weights, limits = system, desk, weights, desk.limits
        system.prefixes = PrefixCache(budget=limits.prefix_bytes)
        self._decoding: ContinuousDecoding | OuterDecoding = elsewhere or ContinuousDecoding(
            system.decoder,
            limits=BatchLimits(
                rows=limits.rows,
                cache_bytes=limits.writing_bytes,
                chunk=limits.chunk,
                quiet_chunk=limits.quiet_chunk,
            ),
            prefixes=system.prefixes,
        )
        self._open: dict[int, Writer] = {}  # by the decoding's tickets
        self.count = 0

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self._open and self._decoding.idle

    @property
    def work(self) -> WorkDone:
        """Return what was read and written."""
        done = self._decoding.statistics
        return WorkDone(
            tokens_read=done.tokens_read,
            tokens_reused=done.tokens_reused,
            tokens_written=done.tokens_written,
            prefixes_found=done.prefixes_found,
            prefixes_missed=done.prefixes_missed,
        )

    @property
    def held(self) -> BytesHeld:
        """Return the memory that is in use."""
        now = self._decoding.statistics
        return BytesHeld(prefixes=now.prefix_bytes, writing=now.cache_bytes)

    def add(self, ready: Sequence[Ready]) -> None:
        """Let prepared requests be read; those that could never fit are ended."""
        for request, prepared in ready:
            if request.unwanted:
                continue
            request.stage = "reading"
            try:
                known = self._known(prepared.request)
                ticket = self._decoding.submit(prepared.request)
            except DeixisError as fault:
                self._desk.end(request, Failed(fault), "failed")
            else:
                self._open[ticket] = Writer(request, prepared, known)

    def advance(self) -> None:
        """Write one token of every answer; what nobody wants any more makes room."""
        for ticket, writer in self._open.items():
            if writer.request.unwanted:
                self._decoding.cancel(ticket)
        if not self._decoding.idle:
            for event in self._decoding.advance():
                self._pass_on(event)
        self.count = len(self._open)

    def _pass_on(self, event: Event | Broken) -> None:
        """Tell whoever asked what became certain, or why there is nothing more to come."""
        if isinstance(event, Broken):
            self._end_broken(self._open.pop(event.number).request, event.error)
            return
        writer = self._open[event.number]
        request, completion = writer.request, event.completion
        if completion is not None:
            del self._open[event.number]
        if request.over:
            return
        if completion is None or completion.ids:
            self._measure(request)
        if event.delta.text or event.delta.spans:
            request.tell(Progress(event.delta))
        if completion is not None:
            self._finish(writer, completion)

    def _finish(self, writer: Writer, completion: Completion) -> None:
        """Send the whole answer."""
        request, prepared = writer.request, writer.prepared
        try:
            read = self._system.answered(prepared, completion, seconds=time.monotonic() - request.arrived)
            answer = replace(read, weights=self._weights)
        except Exception as fault:
            self._end_broken(request, fault)
            return
        positions = len(prepared.request.embedded)
        finished = Finished(answer, prompt_tokens=positions, reused_tokens=writer.known)
        self._desk.end(request, finished, "cancelled" if answer.finish == "cancelled" else "answered")

    def _end_broken(self, request: OpenRequest, fault: Exception) -> None:
        """End a request that can't be answered; what isn't whoever asked's to mend is logged."""
        if isinstance(fault, DeixisError):
            self._desk.end(request, Failed(fault), "failed")
            return
        LOG.error("request %d could not be answered", request.number, exc_info=fault)
        told = f"the question could not be answered: {type(fault).__name__}: {fault}"
        self._desk.end(request, Failed(ModelFailed(told)), "failed")

    def _known(self, request: Request) -> int:
        """Return how many positions of a prompt are known from earlier ones."""
        embedded = request.embedded
        return self._system.prefixes.shared(embedded, regime=self._system.decoder.regime(len(embedded)))

    def _measure(self, request: OpenRequest) -> None:
        now = time.monotonic()
        if request.last is None:
            request.stage = "writing"
            self._desk.first_token.add(now - request.arrived)
        else:
            self._desk.token.add(now - request.last)
        request.last = now

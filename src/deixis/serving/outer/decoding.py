"""Answers that an outer engine writes: taken, given back and read as by the decoding loop on this machine."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deixis.answers.grounded import Finish
from deixis.client.server import Server
from deixis.engine.continuous import BatchStatistics, Broken, Event
from deixis.engine.policy import Completion, Delta, Request
from deixis.errors import DeixisError, EndpointError
from deixis.serving.outer.completions import ROUTE, Written, completion_request, written_in
from deixis.serving.outer.fitting import require_fitting

Said = Written | DeixisError
PATIENCE = 0.05  # seconds that are waited for something to be written, before others get their turn


@dataclass
class Answering:
    """One answer while it is written elsewhere."""

    request: Request
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    leave: threading.Event = field(default_factory=threading.Event)


class OuterDecoding:
    """Requests that an engine behind a server answers, many at a time; it does the batching.

    It is used as ``engine.continuous.ContinuousDecoding`` is, from one thread; another one for each request
    listens to the server. server: of vLLM, see ``completions``. model: the name by which it serves the
    language model. With a temperature its draws are its own.
    """

    def __init__(self, server: Server, *, model: str) -> None:
        self.server, self.model = server, model
        self._active: dict[int, Answering] = {}
        self._said: queue.Queue[tuple[int, Said]] = queue.Queue()
        self._cancelled: list[int] = []
        self._ticket = self._written = 0

    @property
    def statistics(self) -> BatchStatistics:
        """Return what was written; what is read and held elsewhere isn't known."""
        return BatchStatistics(tokens_written=self._written)

    @property
    def idle(self) -> bool:
        """Tell whether nothing is being written."""
        return not self._active

    def submit(self, request: Request) -> int:
        """Send a request off and return its ticket; UsageError for one that can't be answered there."""
        require_fitting(request)
        ends: frozenset[int] = getattr(request.policy, "ends", frozenset())
        body = completion_request(request, model=self.model, ends=ends)
        self._ticket += 1
        one = self._active[self._ticket] = Answering(request)
        threading.Thread(target=self._listen, args=(self._ticket, one, body), daemon=True).start()
        return self._ticket

    def cancel(self, ticket: int) -> None:
        """Let an answer end with what there is of it; the server is left."""
        if ticket in self._active:
            self._cancelled.append(ticket)

    def advance(self) -> list[Event | Broken]:
        """Return what became certain by what was written meanwhile, after a short wait for some.

        The error of an answer that broke off is one of those of ``client.server``.
        """
        events: list[Event | Broken] = [
            self._ended(ticket, "cancelled") for ticket in self._cancelled if ticket in self._active
        ]
        self._cancelled = []
        with contextlib.suppress(queue.Empty):
            if not events and self._active:
                events += self._heard(*self._said.get(timeout=PATIENCE))
            while True:
                events += self._heard(*self._said.get_nowait())
        return events

    def completions(self, requests: list[Request]) -> list[Completion]:
        """Return what is written in answer to each of some requests, all of it; the first error is raised."""
        tickets = [self.submit(request) for request in requests]
        done: dict[int, Completion] = {}
        while not self.idle:
            for event in self.advance():
                if isinstance(event, Broken):
                    raise event.error
                if event.completion is not None:
                    done[event.number] = event.completion
        return [done[ticket] for ticket in tickets]

    def _listen(self, ticket: int, one: Answering, body: dict[str, Any]) -> None:
        """Pass on what the server says, in a thread of its own."""
        try:
            events = self.server.stream(ROUTE, body)
            with contextlib.closing(events):  # type: ignore[type-var]
                for written in written_in(events):
                    if one.leave.is_set():
                        return
                    self._said.put((ticket, written))
        except DeixisError as fault:
            self._said.put((ticket, fault))
        except Exception as fault:
            self._said.put((ticket, EndpointError(f"the outer engine can't be read: {fault!r}")))

    def _heard(self, ticket: int, said: Said) -> Iterator[Event | Broken]:
        one = self._active.get(ticket)
        if one is None:  # it is over already; the server was quicker than we left it
            return
        if isinstance(said, DeixisError):
            yield self._broken(ticket, said)
            return
        for token, logprob in zip(said.ids, said.logprobs, strict=True):
            self._written += 1
            one.ids.append(token)
            one.logprobs.append(logprob)
            delta = one.request.policy.accept(token, logprob)
            if delta.ended:
                yield self._ended(ticket, "stop", delta)
                return
            if len(one.ids) >= one.request.settings.max_new_tokens:
                yield self._ended(ticket, "length", delta)
                return
            yield Event(ticket, delta)
        if said.finish is not None:
            most = one.request.settings.max_new_tokens
            yield self._broken(
                ticket,
                EndpointError(
                    f"the outer engine ended an answer ({said.finish}) after {len(one.ids)} of {most} "
                    "tokens, none of which ends one here; has it the same language model, and as much room?"
                ),
            )

    def _broken(self, ticket: int, error: DeixisError) -> Broken:
        self._active.pop(ticket).leave.set()
        return Broken(ticket, error)

    def _ended(self, ticket: int, finish: Finish, last: Delta | None = None) -> Event:
        one = self._active.pop(ticket)
        one.leave.set()
        rest = one.request.policy.close(finish)
        before = Delta() if last is None else last
        completion = Completion(
            tuple(one.ids),
            tuple(one.logprobs),
            tuple(one.request.policy.places),
            finish,
            one.request.settings,
        )
        whole = Delta(before.text + rest.text, (*before.spans, *rest.spans), ended=True)
        return Event(ticket, whole, completion)

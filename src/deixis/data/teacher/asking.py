"""Asking a teacher: what was answered before is read, the rest is asked within the budget and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from deixis.data.teacher.seeing import picture_tokens
from deixis.data.teacher.spending import Spending
from deixis.endpoints.chat import ChatRequest, Reply, ShownPicture, Usage
from deixis.endpoints.endpoint import Endpoint
from deixis.endpoints.kept_replies import ReplyFolder
from deixis.endpoints.pace import Pace
from deixis.errors import DeixisError, EndpointError, UsageError

MOST_FAILURES = 8  # in a row, before a server counts as gone
LETTERS_PER_TOKEN = 3  # of English, at the least
Teacher = Callable[[ChatRequest], Reply]  # such as ``Endpoint.reply``


class Unasked(Exception):
    """A request that was not made, for no more are; its text says why."""


@dataclass
class Asker:
    """Asks a teacher what the folder of replies does not hold; several threads may ask at once.

    Once the budget is used up, the server is gone (``MOST_FAILURES`` in a row) or refuses whatever is asked,
    nothing is asked any more, but what is kept is still read. why: the reason; fault: the error, if it's one.
    """

    teacher: Teacher
    kept: ReplyFolder
    spending: Spending
    why: str = ""
    fault: DeixisError | None = None
    asked: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Path, threading.Lock] = {}
        self._failures = 0
        for reply in self.kept.replies():
            self.spending.add(reply.usage or Usage())

    def ask(self, request: ChatRequest) -> Reply:
        """Return the reply to a request.

        Unasked: it is not kept, and nothing is asked any more. EndpointError: the server gave none.
        """
        with self._lock:
            own = self._locks.setdefault(self.kept.path(request), threading.Lock())
        with own:  # the same request by two threads is made once
            found = self.kept.find(request)
            return self._asked(request) if found is None else found

    def stop(self, why: str, fault: DeixisError | None = None, *, give_up: bool = True) -> None:
        """Ask nothing any more. give_up: what is under way gets no further attempt either."""
        with self._lock:
            if not self.why:
                self.why, self.fault = why, fault
        if give_up:
            self.stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait between attempts; EndpointError as soon as there is to be none."""
        if self.stopped.wait(seconds):
            raise EndpointError(f"given up: {self.why}")

    def _asked(self, request: ChatRequest) -> Reply:
        if self.why:
            raise Unasked(self.why)
        most = estimate(request)
        aside = self.spending.set_aside(most)
        if aside is None:
            self.stop(
                f"the budget of {self.spending.budget} has no room for a further request of up to "
                f"{most.total:,} tokens",
                give_up=False,
            )
            raise Unasked(self.why)
        used = Usage()
        try:
            reply = self.teacher(request)
            if reply.usage is None:
                said = len(reply.text or reply.refusal)
                reply = replace(reply, usage=Usage(most.prompt, -(-said // LETTERS_PER_TOKEN)))
            used = reply.usage or used
            self.kept.keep(request, reply)
        except EndpointError as fault:
            self._failed(fault)
            raise
        except UsageError as fault:  # no key, a wrong address, no room on the disk: the next fails, too
            self.stop(str(fault), fault)
            raise Unasked(self.why) from fault
        finally:
            self.spending.settle(aside, used)
        with self._lock:
            self.asked, self._failures = self.asked + 1, 0
        return reply

    def _failed(self, fault: EndpointError) -> None:
        with self._lock:
            self._failures += 1
            gone = self._failures >= MOST_FAILURES
        if gone:
            message = f"{MOST_FAILURES} requests in a row had no reply; the last: {fault}"
            self.stop(message, EndpointError(message))


def asker_of(
    endpoint: Endpoint, *, kept: ReplyFolder, spending: Spending, rate: float | None = None
) -> Asker:
    """Return what asks an endpoint, so many requests a second, and stops waiting when it is stopped."""
    asker = Asker(endpoint.reply, kept, spending)
    pace = Pace(rate, sleep=asker.sleep)
    asker.teacher = replace(endpoint, sleep=asker.sleep, pace=pace).reply
    return asker


def estimate(request: ChatRequest) -> Usage:
    """Return about how many tokens a request takes, and its reply at most."""
    letters = tokens = 0
    for _, content in request.messages:
        for part in content if isinstance(content, tuple) else (content,):
            if isinstance(part, ShownPicture):
                tokens += picture_tokens(part)
            else:
                letters += len(part)
    return Usage(tokens + -(-letters // LETTERS_PER_TOKEN), request.max_tokens)

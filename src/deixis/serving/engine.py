"""The engine: many people ask, several models answer; whoever asks is told as the answer is written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, get_args

from deixis.answers.grounded import Answer
from deixis.engine.settings import Settings
from deixis.errors import EngineStopped, QueueFull, UsageError
from deixis.pictures.opening import Picture
from deixis.serving.asked import Asked, Failed, Finished, OnEvent, Progress
from deixis.serving.desk import Desk
from deixis.serving.giving_back import GivingBack
from deixis.serving.heard import Heard
from deixis.serving.limits import EngineLimits
from deixis.serving.models import Models, ModelState
from deixis.serving.open_request import OpenRequest, Outcome
from deixis.serving.residents import Residents
from deixis.serving.statistics import Statistics
from deixis.systems.contract import System
from deixis.systems.questions import checked_question

LOG = logging.getLogger("deixis")

__all__ = ["Asked", "Engine", "EngineLimits", "Failed", "Finished", "Models", "Progress", "Ticket"]

END_WITHIN = 10.0  # seconds that models are given to end when the engine is closed


class Ticket:
    """A request that the engine took."""

    def __init__(self, desk: Desk, request: OpenRequest) -> None:
        self._desk, self._request = desk, request

    @property
    def number(self) -> int:
        """Return the request's number, one of its own."""
        return self._request.number

    @property
    def over(self) -> bool:
        """Tell whether the last event has been sent."""
        return self._request.over

    def cancel(self) -> None:
        """Take the request back; its place is free at once. Nothing happens if it is over.

        What was written so far comes as a ``Finished`` whose answer says that it was cancelled; before that,
        the last event is ``Failed`` with ``Cancelled``.
        """
        self._desk.cancel(self._request)


class Engine:
    """Answers questions with several models, many at a time.

    One thread looks after requests and models; each loaded model has its own, so that a slow one doesn't
    stall the others. Answers are those of ``System.ask``, whoever else is asked meanwhile. A model that fails
    is dropped and takes only its own requests with it; the next question loads it again.

    >>> engine = Engine(Models({"pointer": "pointer"}, device="cpu"))
    >>> engine.alive, [model.name for model in engine.models()]
    (False, ['pointer'])
    """

    def __init__(self, models: Models, *, limits: EngineLimits | None = None) -> None:
        self.limits = EngineLimits() if limits is None else limits
        self._models = models
        self._desk = Desk(self.limits)
        self._residents = Residents(models, self._desk)
        self._closing = False
        self._died_of: str | None = None
        self._thread = threading.Thread(target=self._run, name="deixis engine", daemon=True)

    def start(self) -> Self:
        """Begin to take questions; models are loaded when they are first asked for."""
        if self._thread.ident is not None:
            raise EngineStopped("an engine is started once; make a new one")
        self._desk.closed_by = None
        self._thread.start()
        return self

    def close(self) -> None:
        """End: open requests get ``EngineStopped``, models are let go. See ``drain`` for a gentle way."""
        with self._desk.condition:
            self._closing = True
            self._desk.close("it is closed")
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Tell whether questions are answered."""
        return self._thread.is_alive() and self._died_of is None and not self._closing

    @property
    def died_of(self) -> str | None:
        """Return what ended the engine, if it wasn't asked to end."""
        return self._died_of

    def submit(self, asked: Asked, on_event: OnEvent) -> Ticket:
        """Take a question and return at once; called from any thread.

        on_event is called with each ``Progress`` and in the end once with ``Finished`` or ``Failed``, in one
        of the engine's threads: it has to be quick, and should hand over what takes long. UnknownModel,
        QueueFull, EngineStopped, and the errors of ``System.ask`` about what is asked are raised; what only
        the loaded model knows comes as ``Failed``.
        """
        return self._submitted([(asked, on_event)])[0]

    def ask(self, asked: Asked) -> Answer:
        """Return the answer to a question; raises what ``submit`` raises or reports as ``Failed``."""
        return self._answers([asked])[0]

    def ask_many(
        self,
        picture: Picture,
        questions: Sequence[tuple[str, Mapping[str, Any]]],
        *,
        model: str | None = None,
        settings: Settings | None = None,
    ) -> list[Answer]:
        """Return the answers to several questions about one picture, each with regions of its own.

        The picture is encoded once and all regions are read as one batch, as far as rows allow. The first
        error ends all.
        """
        chosen = Settings() if settings is None else settings
        return self._answers(
            [Asked(model, (picture,), text, regions=regions, settings=chosen) for text, regions in questions]
        )

    def models(self) -> list[ModelState]:
        """Return all models that may be asked, loaded or not."""
        return self._residents.states()

    def system(self, model: str) -> System:
        """Return the system of a loaded model, to look at how it came to an answer; UsageError if it is not.

        It goes on answering in its own threads. Whoever has it may encode pictures and decode with a loop of
        its own, and must not change it, nor use its prefixes.
        """
        system = self._residents.system(self._models.named(model))
        if system is None:
            raise UsageError(f"model {model!r:.80} isn't loaded; ask it something first")
        return system

    def statistics(self) -> Statistics:
        """Return what was done since the start, and what there is now."""
        desk, residents = self._desk, self._residents
        return Statistics(
            ended={outcome: desk.ended[outcome] for outcome in get_args(Outcome)},
            refused=desk.refused,
            open=desk.stages(),
            queue_length=desk.queue_length(),
            first_token=desk.first_token.histogram(),
            token=desk.token.histogram(),
            work=residents.work,
            held=residents.held,
            models_loaded=residents.loaded,
            loads=residents.loads,
            drops=residents.drops,
            deaths=residents.deaths,
        )

    def drain(self, seconds: float) -> bool:
        """Take no further questions and wait for the open ones; False if some are open after so long."""
        with self._desk.condition:
            if self._desk.closed_by is None:
                self._desk.close("it is about to be closed")
            return self._desk.condition.wait_for(lambda: not self._desk.requests(), seconds)

    def _submitted(self, several: Sequence[tuple[Asked, OnEvent]]) -> list[Ticket]:
        """Take several questions, all or none."""
        making = [self._opening(asked, on_event) for asked, on_event in several]
        return [Ticket(self._desk, request) for request in self._desk.put(making)]

    def _opening(self, asked: Asked, on_event: OnEvent) -> Callable[[int], OpenRequest]:
        """Return what makes an open request of a checked question, given its number."""
        model = self._models.named(asked.model)
        question = checked_question(asked.question, asked.regions, asked.pictures, before=asked.before)
        return lambda number: OpenRequest(
            number, asked, question, model=model, on_event=on_event, seconds=self.limits.deadline
        )

    def _answers(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the answers to questions that are asked together, in their order."""
        heard = Heard()
        tickets: list[Ticket] = []
        try:
            while len(tickets) < len(asked):
                sent, room = len(tickets), self.limits.queue - self._desk.queue_length()
                several = asked[sent : sent + max(room, 1)]
                try:
                    tickets += self._submitted(
                        [(one, heard.owner(sent + number)) for number, one in enumerate(several)]
                    )
                except QueueFull:
                    if not heard.one_more(sent):
                        raise
            return heard.answers(len(asked))
        finally:
            for ticket in tickets:
                if not ticket.over:
                    ticket.cancel()

    def _run(self) -> None:
        try:
            self._look_after()
        except BaseException as fault:
            LOG.exception("the engine has died")
            self._died_of = f"{type(fault).__name__}: {fault}"
        finally:
            reason = "it is closed" if self._died_of is None else f"it has died of {self._died_of}"
            self._desk.close(reason)
            self._desk.end_all(EngineStopped(f"the engine answers no more: {reason}"))
            self._residents.close(END_WITHIN)

    def _look_after(self) -> None:
        """End what nobody wants, load and drop models, give memory back, until the engine is closed."""
        giving_back = GivingBack()
        while not self._closing:
            seen = self._desk.version
            self._desk.end_unwanted()
            soon, due = self._residents.manage(), self._desk.next_due()
            waits = [one for one in (soon, giving_back.look(seen)) if one is not None]
            waits += [] if due is None else [max(due - time.monotonic(), 0.0)]
            with self._desk.condition:
                if not self._closing and self._desk.version == seen:
                    self._desk.condition.wait(min(waits, default=None))

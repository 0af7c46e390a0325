"""One request while it is open: where it stands, whom it tells, and its single last event."""

from __future__ import annotations

import logging
import threading
import time
from typing import Literal

from deixis.errors import DeadlinePassed
from deixis.serving.asked import Asked, Failed, Finished, OnEvent, Progress
from deixis.systems.questions import Question

LOG = logging.getLogger("deixis")

Stage = Literal["queued", "preparing", "reading", "writing"]
Outcome = Literal["answered", "cancelled", "late", "failed"]


class OpenRequest:
    """A request from when it is taken until its last event.

    stage: where it stands. outcome: how it ended; None while it is open. cancelled: nobody wants the answer
    any more. seconds: its deadline, if what is asked has none. arrived, last: when it came, and when its
    latest token came (monotonic seconds).
    """

    def __init__(
        self,
        number: int,
        asked: Asked,
        question: Question,
        *,
        model: str,
        on_event: OnEvent,
        seconds: float | None = None,
    ) -> None:
        self.number, self.asked, self.question, self.model = number, asked, question, model
        self.arrived = time.monotonic()
        self.seconds = seconds if asked.deadline is None else asked.deadline
        self.due = None if self.seconds is None else self.arrived + self.seconds
        self.stage: Stage = "queued"
        self.outcome: Outcome | None = None
        self.cancelled = False
        self.last: float | None = None
        self._on_event = on_event
        self._lock = threading.RLock()  # its owner may ask for more, or cancel, while being told

    @property
    def over(self) -> bool:
        """Tell whether the last event has been sent."""
        return self.outcome is not None

    @property
    def unwanted(self) -> bool:
        """Tell whether nothing more needs to be computed for it."""
        return self.over or self.cancelled

    def tell(self, progress: Progress) -> None:
        """Pass on what became certain; an owner who can't take it is not told anything more."""
        with self._lock:
            if not self.over and not self._told(progress):
                self.cancelled = True

    def end(self, event: Finished | Failed, outcome: Outcome) -> bool:
        """Send the last event; False if it was over before."""
        with self._lock:
            if self.over:
                return False
            self.outcome = outcome
            self._told(event)
            return True

    def _told(self, event: Progress | Finished | Failed) -> bool:
        try:
            self._on_event(event)
        except Exception:
            LOG.exception("what was to be told of request %d could not be taken", self.number)
            return False
        return True

    def late(self) -> Failed:
        """Return the last event of a request whose deadline has passed."""
        return Failed(
            DeadlinePassed(
                f"there was no answer within {self.seconds:g} seconds (the request was {self.stage}); give "
                "it more time, ask for a shorter answer (max_new_tokens), or try again when less is asked"
            )
        )

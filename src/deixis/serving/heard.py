"""What comes back of several requests that one caller waits for."""

from __future__ import annotations

import threading

from deixis.answers.grounded import Answer
from deixis.serving.asked import Event, Failed, Finished, OnEvent, Progress


class Heard:
    """The last events of requests, by their place in the caller's list."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._last: dict[int, Finished | Failed] = {}

    def owner(self, number: int) -> OnEvent:
        """Return what is told of one of them."""

        def told(event: Event) -> None:
            if isinstance(event, Progress):
                return
            with self._condition:
                self._last[number] = event
                self._condition.notify_all()

        return told

    def one_more(self, sent: int) -> bool:
        """Wait until one more of those that were sent is over; False if all of them are."""
        with self._condition:
            over = len(self._last)
            if over >= sent:
                return False
            self._condition.wait_for(lambda: len(self._last) > over)
        return True

    def answers(self, count: int) -> list[Answer]:
        """Wait for all answers; raises the first error as soon as it is known."""
        with self._condition:
            self._condition.wait_for(lambda: len(self._last) == count or self._failed())
            if failed := self._failed():
                raise failed[0].error
            last = [self._last[number] for number in range(count)]
        return [one.answer for one in last if isinstance(one, Finished)]

    def _failed(self) -> list[Failed]:
        return [one for one in self._last.values() if isinstance(one, Failed)]

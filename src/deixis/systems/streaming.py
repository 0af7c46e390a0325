"""An answer while it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deixis.answers.grounded import Answer
from deixis.engine.loop import Decoding
from deixis.engine.policy import Completion, Delta
from deixis.errors import UsageError


class AnswerStream:
    """An iterator of deltas, and in the end the whole answer.

    ``cancel`` lets the answer end at its next token; so does leaving the stream half read, which costs
    nothing more.
    """

    def __init__(self, decoding: Decoding, finished: Callable[[Completion], Answer]) -> None:
        self._decoding, self._finished = decoding, finished
        self._answer: Answer | None = None
        self._events = self._run()

    def __iter__(self) -> Iterator[Delta]:
        return self

    def __next__(self) -> Delta:
        return next(self._events)

    def _run(self) -> Iterator[Delta]:
        for event in self._decoding:
            if event.completion is not None:
                self._answer = self._finished(event.completion)
            yield event.delta

    @property
    def answer(self) -> Answer:
        """The whole answer; UsageError while it is still being written."""
        if self._answer is None:
            raise UsageError("the answer is still being written; read the stream to its end first")
        return self._answer

    def cancel(self) -> None:
        """Let the answer end at its next token; its ``finish`` says that it was cancelled."""
        self._decoding.cancel()

"""Questions that wait for one model: those who ask are served in turn, each in the order they asked."""

from __future__ import annotations

from collections import OrderedDict, deque

from deixis.serving.open_request import OpenRequest


class WaitingQueue:
    """A fair queue: who asks much waits behind their own questions, not everybody else behind theirs."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, deque[OpenRequest]] = OrderedDict()  # whose turn is next comes first

    def put(self, request: OpenRequest) -> None:
        """Let a request wait."""
        self._turns.setdefault(request.asked.who, deque()).append(request)

    def take(self, most: int, *, before: float | None = None) -> list[OpenRequest]:
        """Return up to ``most`` requests, one of each who asks, and round again.

        before: only those that arrived earlier.
        """
        taken: list[OpenRequest] = []
        passed = 0  # how many in a row had nothing to give
        while len(taken) < most and passed < len(self._turns):
            who, own = self._turns.popitem(last=False)
            if before is None or own[0].arrived < before:
                taken.append(own.popleft())
                passed = 0
            else:
                passed += 1
            if own:
                self._turns[who] = own
        return taken

    def remove(self, request: OpenRequest) -> bool:
        """Take a request out; False if it doesn't wait here."""
        own = self._turns.get(request.asked.who)
        if own is None or request not in own:
            return False
        own.remove(request)
        if not own:
            del self._turns[request.asked.who]
        return True

    def oldest(self) -> float | None:
        """Return when the longest waiting one arrived; None if none waits."""
        return min((own[0].arrived for own in self._turns.values()), default=None)

    def __len__(self) -> int:
        return sum(map(len, self._turns.values()))

"""Which request has which row of the store: first those being written, then those being read."""

from __future__ import annotations

from deixis.engine.batching.answering import Answering
from deixis.engine.decoder import Decoder
from deixis.engine.store import KeyValueStore


class Rows:
    """The rows of a batch. members: by row; the first ``writing`` of them are being written."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.store: KeyValueStore | None = None
        self.members: list[Answering] = []
        self.writing = 0

    @property
    def written(self) -> list[Answering]:
        """Those being written, by row."""
        return self.members[: self.writing]

    @property
    def read(self) -> list[Answering]:
        """Those being read, the earliest first."""
        return sorted(self.members[self.writing :], key=lambda one: one.number)

    @property
    def held(self) -> KeyValueStore:
        """The store, which is there as soon as there is a member."""
        assert self.store is not None
        return self.store

    @property
    def slots(self) -> int:
        """How many positions the longest member may come to hold."""
        return max((one.slots for one in self.members), default=0)

    def row(self, one: Answering) -> int:
        """Return the row of a member."""
        return self.members.index(one)

    def length(self, one: Answering) -> int:
        """Return how many positions of a member are read."""
        return self.held.lengths[self.row(one)]

    def reserve(self, *, rows: int, slots: int) -> bool:
        """Make memory for so many rows and slots, no more, unless there is as much.

        Tell whether what rows held was moved for it.
        """
        if self.store is None:
            self.store = self.decoder.new_store(rows, slots)
        elif rows > self.store.rows or slots > self.store.slots:
            self.store.resize(rows=rows, slots=slots)
            return True
        return False

    def lengthen(self, more: int) -> None:
        """Make memory for so many more slots if no slot is left for the next token of the longest answer."""
        store = self.held
        if max(store.lengths[: self.writing], default=0) >= store.slots:
            store.resize(rows=store.rows, slots=min(max(self.slots, store.slots + 1), store.slots + more))

    def join(self, one: Answering) -> None:
        """Give an empty row to a request, to be read."""
        self.held.add()
        self.members.append(one)

    def begin_writing(self, one: Answering) -> None:
        """Let a member that was read be written."""
        self._swap(self.row(one), self.writing)
        self.writing += 1

    def read_anew(self, one: Answering) -> None:
        """Let a member that was written be read from its beginning."""
        self.writing -= 1
        self._swap(self.row(one), self.writing)
        self.held.truncate(self.writing, 0)

    def leave(self, one: Answering) -> None:
        """Free a member's row."""
        row = self.row(one)
        if row < self.writing:  # the last one that is written moves into the gap, and leaves one behind
            self.writing -= 1
            self._move(self.writing, row)
            row = self.writing
        self.held.free(row)
        self.members[row] = self.members[-1]
        self.members.pop()

    def _move(self, source: int, target: int) -> None:
        self.held.copy(source, target)
        self.members[target] = self.members[source]

    def _swap(self, first: int, second: int) -> None:
        if first != second:
            self.held.swap(first, second)
            members = self.members
            members[first], members[second] = members[second], members[first]

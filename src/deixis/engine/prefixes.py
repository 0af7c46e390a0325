"""What prompts began with lately, as a decoder read it: a prompt that begins alike need not be read again."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass

from deixis.engine.embedded import Embedded
from deixis.engine.store import SavedKeys

BUDGET = 512 << 20  # bytes


@dataclass(frozen=True, eq=False)
class KnownPrefix:
    """What a row held: the identity of its positions, and their keys and values; equal only to itself."""

    identity: tuple[Hashable, ...]
    keys: SavedKeys


class PrefixCache:
    """Prefixes by what they stand for, the latest kept, within a budget of bytes; used by many threads."""

    def __init__(self, *, budget: int = BUDGET) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._known: list[KnownPrefix] = []  # the one used last comes last

    def longest(self, embedded: Embedded, *, regime: int) -> tuple[KnownPrefix, int] | None:
        """Return what shares the most first positions with a prompt, and how many; None for nothing."""
        with self._lock:
            known = list(self._known)
        fitting = [
            (embedded.shared_with(one.identity), number)
            for number, one in enumerate(known)
            if one.keys.regime == regime
        ]
        shared, number = max(fitting, default=(0, 0))
        if not shared:
            return None
        with self._lock:
            if known[number] in self._known:
                self._known.remove(known[number])
                self._known.append(known[number])
        return known[number], shared

    def keep(self, prefix: KnownPrefix) -> None:
        """Remember a prefix; those that it begins with are let go, and the oldest beyond the budget."""
        if prefix.keys.nbytes > self.budget:
            return
        identity = prefix.identity
        with self._lock:
            self._known = [one for one in self._known if one.identity != identity[: len(one.identity)]]
            self._known.append(prefix)
            while sum(one.keys.nbytes for one in self._known) > self.budget:
                self._known.pop(0)

    def __len__(self) -> int:
        return len(self._known)

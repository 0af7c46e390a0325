"""What prompts began with lately, as a decoder read it: a prompt that begins alike need not be read again.

A tree: what several prompts begin with is kept once, and where they part, a branch of each.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from deixis.engine.embedded import Embedded, common_length
from deixis.engine.store import KeyValueStore, SavedKeys

BUDGET = 512 << 20  # bytes


@dataclass(eq=False)
class Branch:
    """A stretch of prompts: what stands at its positions, their keys and values, and what comes behind it.

    used: when it was last of use, as a count. The root has no positions and no keys.
    """

    identity: tuple[Hashable, ...] = ()
    keys: SavedKeys | None = None
    parent: Branch | None = None
    next: dict[Hashable, Branch] = field(default_factory=dict)
    used: int = 0

    @property
    def nbytes(self) -> int:
        """Return how much memory its keys and values take."""
        return 0 if self.keys is None else self.keys.nbytes

    def put(self, branch: Branch) -> None:
        """Put a branch behind this one."""
        branch.parent = self
        self.next[branch.identity[0]] = branch

    def split(self, at: int) -> None:
        """Keep the first ``at`` positions here and put the others behind, with all that comes after them."""
        assert self.keys is not None
        before, after = self.keys.split(at)
        rest = Branch(self.identity[at:], after, next=self.next, used=self.used)
        for branch in rest.next.values():
            branch.parent = rest
        self.identity, self.keys, self.next = self.identity[:at], before, {}
        self.put(rest)


class PrefixCache:
    """Beginnings of prompts by what they stand for, the latest kept, within a budget of bytes.

    Used by many threads. hits, misses: how often something was found that a prompt begins with, and not.
    nbytes: how much is kept.
    """

    def __init__(self, *, budget: int = BUDGET) -> None:
        self.budget = budget
        self.nbytes = self.hits = self.misses = 0
        self._lock = threading.Lock()
        self._roots: dict[int, Branch] = {}  # by regime: other frequencies, other keys
        self._clock = 0

    def shared(self, prompt: Embedded, *, regime: int) -> int:
        """Return how many first positions of a prompt are known and could be taken over."""
        with self._lock:
            return sum(count for _, count in self._usable(prompt, regime))

    def load(self, prompt: Embedded, store: KeyValueStore, row: int, *, regime: int) -> int:
        """Fill an empty row with what is known of the beginning of a prompt; return how many positions."""
        with self._lock:
            path = self._usable(prompt, regime)
            self._use([branch for branch, _ in path])
            parts = [(branch.keys, count) for branch, count in path]
            self.hits += bool(parts)
            self.misses += not parts
        loaded = 0
        for keys, count in parts:
            assert keys is not None
            store.load(row, keys, start=loaded, length=count)
            loaded += count
        return loaded

    def keep(self, identity: Sequence[Hashable], store: KeyValueStore, row: int) -> None:
        """Remember what a row holds, whose first positions stand for ``identity``."""
        whole, regime = tuple(identity), store.regimes[row]
        with self._lock:
            path = self._path(whole, regime)
            self._use([branch for branch, _ in path])
            known = sum(count for _, count in path)
            last = path[-1][0] if path else self._roots.setdefault(regime, Branch())
            if known == len(whole):
                return
            keys = store.saved(row, known, len(whole))
            if keys.nbytes > self.budget:
                return
            if path and path[-1][1] < len(last.identity):
                last.split(path[-1][1])
            new = Branch(whole[known:], keys)
            last.put(new)
            self.nbytes += new.nbytes
            self._use([new])
            self._shrink()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._roots, self.nbytes = {}, 0

    def __len__(self) -> int:
        with self._lock:
            return sum(1 for _ in self._branches())

    def _path(self, identity: tuple[Hashable, ...], regime: int) -> list[tuple[Branch, int]]:
        """Return the branches that positions lie on, and how many of each."""
        path: list[tuple[Branch, int]] = []
        at, branch = 0, self._roots.get(regime)
        while branch is not None and at < len(identity):
            branch = branch.next.get(identity[at])
            if branch is None:
                break
            count = common_length(branch.identity, identity[at : at + len(branch.identity)])
            path.append((branch, count))
            at += count
            if count < len(branch.identity):
                break
        return path

    def _usable(self, prompt: Embedded, regime: int) -> list[tuple[Branch, int]]:
        """Return the same for a prompt's beginning that can be taken over; see ``Embedded.shared_with``."""
        path = self._path(prompt.identity[:-1], regime)
        return path if sum(count for _, count in path) >= prompt.prefix else []

    def _use(self, branches: Sequence[Branch]) -> None:
        self._clock += 1
        for branch in branches:
            branch.used = self._clock

    def _shrink(self) -> None:
        """Let go of what was used longest ago, from the ends of branches, until the rest fits."""
        while self.nbytes > self.budget:
            oldest = min((one for one in self._branches() if not one.next), key=lambda one: one.used)
            assert oldest.parent is not None
            del oldest.parent.next[oldest.identity[0]]
            self.nbytes -= oldest.nbytes

    def _branches(self) -> Iterator[Branch]:
        waiting = [branch for root in self._roots.values() for branch in root.next.values()]
        while waiting:
            branch = waiting.pop()
            yield branch
            waiting += branch.next.values()

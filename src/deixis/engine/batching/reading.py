"""What of the prompts of a batch is read next: first come, first served, each shared beginning once.

It may be read in the forward in which the answers that are written take their next step: that takes hardly
longer than the reading alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from deixis.engine.batching.answering import Answering
from deixis.engine.batching.rows import Rows
from deixis.engine.batching.writing import last_words, step
from deixis.engine.decoder import Decoder
from deixis.engine.prefixes import PrefixCache
from deixis.engine.reading import LEAST_SHARED

Span = tuple[Answering, int, int]
"""Whose prompt, from where to where."""


@dataclass
class Reading:
    """How prompts of a batch are read.

    read, reused: positions so far. found, missed: prompts whose beginning was known, and was not.
    """

    decoder: Decoder
    rows: Rows
    prefixes: PrefixCache | None
    read: int = 0
    reused: int = 0
    found: int = 0
    missed: int = 0

    def join(self, one: Answering) -> None:
        """Give a row to a request, with what is known of the beginning of its prompt."""
        self.rows.join(one)
        self.prepare(one)
        known = self.rows.length(one) > 0 or one.leader is not None
        self.found += known
        self.missed += not known

    def leave(self, one: Answering) -> None:
        """Free a row; those who waited for it take over what was read for them."""
        store, row = self.rows.held, self.rows.row(one)
        for other in self.rows.read:
            length = min(other.shared, store.lengths[row])
            if other.leader is one and length and length >= other.prompt.prefix:
                self.copy(row, self.rows.row(other), length)
        self.rows.leave(one)

    def prepare(self, one: Answering) -> None:
        """Take over what is known of a prompt's beginning; who is about to read more of it is its leader."""
        store, regime = self.rows.held, self.decoder.regime(len(one.prompt))
        row = self.rows.row(one)
        held = store.lengths[row]
        if self.prefixes is not None and not held:
            self.reused += self.prefixes.load(one.prompt, store, row, regime=regime)
        one.leader = None
        if len(one.prompt) - store.lengths[row] <= LEAST_SHARED:  # less is left than is worth looking for
            one.shared = 0
            return
        for other_row, other in enumerate(self.rows.members):
            if other.number >= one.number:
                continue
            common, ahead = one.prompt.shared_with(other.identity), store.lengths[other_row]
            if ahead and store.regimes[other_row] == regime and min(common, ahead) >= one.prompt.prefix:
                self.copy(other_row, row, min(common, ahead))
            unread = min(common, len(other.prompt))
            follows = other_row >= self.rows.writing and self.decoder.regime(len(other.prompt)) == regime
            if follows and unread - max(store.lengths[row], one.shared) >= LEAST_SHARED:
                one.leader, one.shared = other, unread
        if one.leader is None:
            one.shared = 0

    def copy(self, source: int, target: int, length: int) -> None:
        """Let a row hold the first positions of another one."""
        store = self.rows.held
        more = length - store.lengths[target]
        if more > 0:
            store.share(source, target, length)
            self.reused += more

    def advance(self, budget: int | None, *, stepping: bool = False) -> list[Answering]:
        """Read so many positions of prompts, all if None; return those whose prompt is read.

        stepping: the answers that are written take a step as well, if it can be with the first of it.
        """
        done: list[Answering] = []
        while budget is None or budget >= LEAST_SHARED or not done:
            self.catch_up()
            spans = self.plan(budget)
            if not spans:
                break
            beside = self.companions(spans) if stepping else []
            stepping = stepping and not beside
            done += self.read_spans(spans, beside)
            if budget is None:
                continue
            budget -= max(sum(end - start for _, start, end in spans), LEAST_SHARED)
            if budget < LEAST_SHARED:
                break
        if stepping:
            step(self.decoder, self.rows)
        return done

    def companions(self, spans: list[Span]) -> list[Answering]:
        """Return the answers that are written, if they can share a forward with stretches of prompts."""
        store, written = self.rows.held, self.rows.written
        regime = self.decoder.regime(len(spans[0][0].prompt))
        return written if all(store.regimes[row] == regime for row in range(len(written))) else []

    def catch_up(self) -> None:
        """Let those whose leader has read their beginning, or has left, go on themselves."""
        for one in self.rows.read:
            leader = one.leader
            if leader is None:
                continue
            if leader not in self.rows.members:
                one.shared = 0
                self.prepare(one)
            elif self.rows.length(leader) >= one.shared:
                self.prepare(one)

    def plan(self, budget: int | None) -> list[Span]:
        """Return who reads from where to where in the next forward."""
        spans: list[Span] = []
        regimes: set[int] = set()
        for one in self.rows.read:
            regime = self.decoder.regime(len(one.prompt))
            if one.leader is not None or self.rows.length(one) == len(one.prompt) or regimes - {regime}:
                continue
            start = self.rows.length(one)
            take = self.stop(one, start) - start
            if budget is not None:
                take = min(take, budget)
                if start < one.prompt.prefix:
                    take = max(take, one.prompt.prefix)
                if take < 1 or (spans and take > budget):
                    break
                budget -= take
            spans.append((one, start, start + take))
            regimes.add(regime)
        return spans

    def stop(self, one: Answering, start: int) -> int:
        """Return up to where to read: where somebody else goes on, or to the end.

        Those who would go on little later go on there too.
        """
        followers = [other for other in self.rows.read if other.leader is one and other.shared > start]
        stop = min([*(other.shared for other in followers), len(one.prompt)])
        for other in followers:
            if other.shared - stop < LEAST_SHARED:
                other.shared = stop
        return stop

    def read_spans(self, spans: list[Span], beside: list[Answering]) -> list[Answering]:
        """Read stretches of prompts, and the last tokens of answers beside them, in one forward.

        Return those whose prompt is read to the end.
        """
        last = last_words(self.decoder, beside).split(1) if beside else ()
        read = [*beside, *(one for one, _, _ in spans)]
        states = self.decoder.read(
            self.rows.held,
            [self.rows.row(one) for one in read],
            [*last, *(one.prompt.vectors[start:end] for one, start, end in spans)],
            prefix=[one.prompt.prefix for one in read],
            key_bias=[one.prompt.key_bias for one in read],
            regime=self.decoder.regime(len(spans[0][0].prompt)),
        )
        for one, state in zip(read, states.unbind(0), strict=True):
            one.hidden = state
        self.read += sum(end - start for _, start, end in spans)
        return [one for one, _, end in spans if end == len(one.prompt)]

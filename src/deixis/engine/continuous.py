"""The decoding loop, the only one: requests join a running batch and leave it token by token.

Rows of one batch may be about different pictures, of different lengths, with policies and settings of their
own. It runs in the caller's thread; ``advance`` takes all answers one token further.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from deixis.engine.batching.answering import Answering, Broken, Event
from deixis.engine.batching.limits import BatchLimits
from deixis.engine.batching.pace import Pace
from deixis.engine.batching.reading import Reading
from deixis.engine.batching.rows import Rows
from deixis.engine.batching.writing import choose, cross_switch, step
from deixis.engine.decoder import Decoder
from deixis.engine.policy import NOTHING, Request
from deixis.engine.prefixes import PrefixCache
from deixis.engine.reading import Readings
from deixis.engine.starting import begin
from deixis.engine.store import KeyValueStore

__all__ = ["BatchLimits", "BatchStatistics", "Broken", "ContinuousDecoding", "Event"]

SLOTS = 64  # memory is made for multiples of so many positions


@dataclass(frozen=True)
class BatchStatistics:
    """What a batch has done and holds.

    tokens_read, tokens_reused: positions of prompts that were read, and that were taken over from others.
    tokens_written: of answers. prefixes_found, prefixes_missed: prompts whose beginning was known, and was
    not. cache_bytes: memory for keys and values of rows. prefix_bytes: of what is remembered of prompts.
    """

    tokens_read: int = 0
    tokens_reused: int = 0
    tokens_written: int = 0
    prefixes_found: int = 0
    prefixes_missed: int = 0
    cache_bytes: int = 0
    prefix_bytes: int = 0


class ContinuousDecoding:
    """Answers that are written together, and may join and end at any time; not for several threads.

    prefixes: remembers how prompts began. Requests are served in the order in which they came: none that came
    later gets a row while one waits for memory.
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        limits: BatchLimits | None = None,
        prefixes: PrefixCache | None = None,
    ) -> None:
        self.decoder, self.prefixes = decoder, prefixes
        self.limits = BatchLimits() if limits is None else limits
        self._rows = Rows(decoder)
        self._reading = Reading(decoder, self._rows, prefixes)
        self._pace = Pace(self.limits, decoder.device)
        self._waiting: deque[Answering] = deque()
        self._cancelled: list[Answering] = []
        self._tickets = self._tokens_written = 0
        self._slot_bytes = decoder.new_store(1, 1).nbytes

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self._waiting or self._rows.members or self._cancelled)

    @property
    def members(self) -> list[Answering]:
        """Return those that have a row."""
        return self._rows.members

    @property
    def store(self) -> KeyValueStore:
        """Return the keys and values of those that have a row."""
        return self._rows.held

    @property
    def waiting(self) -> int:
        """Return how many requests have no row yet."""
        return len(self._waiting)

    @property
    def reading(self) -> int:
        """Return how many prompts are being read."""
        return len(self._rows.members) - self._rows.writing

    @property
    def writing(self) -> int:
        """Return how many answers are being written."""
        return self._rows.writing

    @property
    def statistics(self) -> BatchStatistics:
        """Return what was done so far, and what is held now."""
        store, reading = self._rows.store, self._reading
        return BatchStatistics(
            tokens_read=reading.read,
            tokens_reused=reading.reused,
            tokens_written=self._tokens_written,
            prefixes_found=reading.found,
            prefixes_missed=reading.missed,
            cache_bytes=0 if store is None else store.nbytes,
            prefix_bytes=0 if self.prefixes is None else self.prefixes.nbytes,
        )

    def submit(self, request: Request) -> int:
        """Let a request join as soon as there is room for it, and return its ticket.

        TooLarge: there could never be enough room.
        """
        self.limits.check(
            prompt=len(request.embedded),
            answer=request.settings.max_new_tokens,
            slot_bytes=self._slot_bytes,
        )
        ticket = self._tickets
        self._tickets += 1
        self._waiting.append(Answering.of(ticket, request))
        return ticket

    def cancel(self, ticket: int) -> None:
        """Let a request end: at its next token if it is being written, else unanswered.

        Its last event comes with the next ``advance``, which frees its row before anything is computed. A
        ticket that is over is none of our business.
        """
        for one in [*self._waiting, *self._rows.members]:
            if one.number == ticket and not one.cancelled:
                one.cancelled = True
                if one not in self._rows.written:
                    self._cancelled.append(one)

    @torch.inference_mode()
    def advance(self) -> list[Event | Broken]:
        """Write one token of every answer, and read a stretch of the prompts of those that joined."""
        events: list[Event | Broken] = [self._dropped(one) for one in self._cancelled if not one.begun]
        self._cancelled = []
        self._pace.start()
        if self._rows.writing:
            events += self._write()
        moved = self._admit()
        writing = self._rows.writing
        # To move what rows hold takes as long as to read: those who write don't wait for both.
        reads = self.reading and not (moved and writing and self.limits.pause is not None)
        beside = bool(writing and reads and self._beside(writing))
        if writing and not beside:
            self._step(measured=not moved)
        if reads:
            events += self._begin(self._read(beside=beside))
        return events

    def _beside(self, rows: int) -> bool:
        """Tell whether so many answers should take their step in the forward that reads prompts.

        Not before it is known what a step takes alone. On CUDA a step is recorded, and costs little.
        """
        known = self.limits.pause is not None and self._pace.knows(rows)
        return known and self.decoder.device.type != "cuda"

    def _step(self, *, measured: bool) -> None:
        """Let all answers that are written take their step."""
        rows = self._rows.writing
        cross_switch(self.decoder, self._rows)
        step(self.decoder, self._rows)
        if measured and self.limits.pause is not None and (self.reading or self.waiting):
            self._pace.stepped(rows)

    def _read(self, *, beside: bool) -> list[Answering]:
        """Read as much as there is time for; return those whose prompt is read."""
        rows = self._rows.writing
        budget = self._pace.positions(rows=rows, beside=beside)
        if beside:
            cross_switch(self.decoder, self._rows)
        elif self.limits.pause is not None:
            self._pace.start()
        before = self._reading.read
        done = self._reading.advance(budget, stepping=beside)
        if self.limits.pause is not None:
            self._pace.has_read(self._reading.read - before, beside=beside)
        return done

    def _dropped(self, one: Answering) -> Event:
        """End a request of which nothing was written."""
        if one in self._rows.members:
            self._leave(one)
        else:
            self._waiting.remove(one)
        one.finish = "cancelled"
        return one.ended(NOTHING)

    def _write(self) -> list[Event | Broken]:
        """Choose the next token of every answer; those that end leave."""
        answers = self._rows.written
        events: list[Event | Broken] = []
        for one, chosen in zip(answers, choose(self.decoder, answers), strict=True):
            try:
                if isinstance(chosen, Exception):
                    raise chosen
                events.append(one.take(*chosen))
                self._tokens_written += 1
            except Exception as fault:
                events.append(Broken(one.number, fault))
                self._leave(one)
        for one in reversed(answers):
            if one.finish is not None and one in self._rows.members:
                self._leave(one)
        if self._rows.writing:
            self._rows.lengthen(SLOTS)
        return events

    def _leave(self, one: Answering) -> None:
        """Free a row; what it holds is remembered."""
        row = self._rows.row(one)
        store = self._rows.held
        if self.prefixes is not None and store.lengths[row]:
            self.prefixes.keep(one.identity[: store.lengths[row]], store, row)
        self._reading.leave(one)

    def _admit(self) -> bool:
        """Give rows to those who wait, as many as fit, the earliest first; tell whether memory was moved."""
        rows, slots, taken = len(self._rows.members), self._rows.slots, 0
        for one in self._waiting:
            longest = max(slots, one.slots)
            if not self.limits.fits(rows=rows + taken + 1, slots=longest, slot_bytes=self._slot_bytes):
                break
            slots, taken = longest, taken + 1
        if not taken:
            return False
        moved = self._reserve(rows + taken, slots)
        for _ in range(taken):
            self._reading.join(self._waiting.popleft())
        return moved

    def _reserve(self, rows: int, slots: int) -> bool:
        """Make room for so many rows and slots; with a budget a little more, so that it is done seldom.

        Tell whether what rows hold was moved for it.
        """
        store, limits = self._rows.store, self.limits
        if limits.cache_bytes is None:  # most answers are short, and ``_write`` makes more as they need it
            longest = max(len(one.request.embedded) for one in [*self._rows.members, *self._waiting])
            return self._rows.reserve(rows=rows, slots=min(slots, longest + SLOTS // 2))
        if store is not None and rows <= store.rows and slots <= store.slots:
            return False
        have_rows, have_slots = (0, 0) if store is None else (store.rows, store.slots)
        for more_slots in (max(-(-slots // SLOTS) * SLOTS, have_slots), -(-slots // SLOTS) * SLOTS, slots):
            for more_rows in (max(rows, 2 * have_rows) if rows > have_rows else have_rows, rows):
                if limits.fits(rows=more_rows, slots=more_slots, slot_bytes=self._slot_bytes):
                    return self._rows.reserve(rows=more_rows, slots=more_slots)
        return False

    def _begin(self, answers: Sequence[Answering]) -> list[Event | Broken]:
        """Let answers whose prompts are read begin as their policies like."""
        new = [one for one in answers if not one.begun]
        readings = Readings(
            self.decoder,
            self._rows.held,
            [one.prompt for one in new],
            [one.hidden for one in new if one.hidden is not None],
            rows=[self._rows.row(one) for one in new],
        )
        broken: list[Event | Broken] = []
        for one, opening in zip(new, begin(readings, [one.request for one in new]), strict=True):
            if isinstance(opening, Exception):
                broken.append(Broken(one.number, opening))
                self._leave(one)
            else:
                one.waiting, one.begun = list(opening)[::-1], True
        for one in answers:
            if one.begun:
                self._rows.begin_writing(one)
        return broken

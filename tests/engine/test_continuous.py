"""A running batch: whoever joins and whenever, each answer is as alone; memory, order and errors are kept."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from deixis.engine.continuous import BatchLimits, Broken, ContinuousDecoding, Event
from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.policy import Completion, Delta, Probe, Request, Start
from deixis.engine.prefixes import PrefixCache
from deixis.engine.reading import LEAST_SHARED
from deixis.errors import BadWeights, TooLarge, UsageError
from tests.engine.answers import END, Recording, asked, written_anew
from tests.engine.decoders.test_causal import SWITCH, tiny
from tests.systems.decoding import reads_of

LONG = [20 + number % 25 for number in range(40)]
POSITION = 768  # bytes of a position of the tiny llama: see test_memory_is_as_large_as_it_says


@pytest.fixture(scope="module")
def decoder() -> CausalDecoder:
    return CausalDecoder(tiny("llama"))


def run(batch: ContinuousDecoding, *, most: int = 2000) -> dict[int, Completion]:
    """Return how all requests of a batch end."""
    done: dict[int, Completion] = {}
    for _ in range(most):
        if batch.idle:
            return done
        for event in batch.advance():
            assert isinstance(event, Event), event
            if event.completion is not None:
                assert event.number not in done
                done[event.number] = event.completion
    raise AssertionError("the batch doesn't come to an end")


def endless(decoder: CausalDecoder, ids: Sequence[int], length: int, **more: object) -> Request:
    return asked(decoder, ids, policy=Recording(never=(END,)), max_new_tokens=length, **more)  # type: ignore[arg-type]


def trying(decoder: CausalDecoder, ids: Sequence[int], *, shown: int | None = None) -> Request:
    """Return a request whose beginning depends on what was tried out."""

    def opening(logits: Tensor) -> Start:
        heard = yield [Probe((5,)), Probe((6, 7)), Probe((int(logits.argmax()),))]
        heard = yield [Probe((int(heard[2].argmax()),)), Probe((8,))]
        return [int(heard[0].argmax()), 9]

    return asked(decoder, ids, shown=shown, policy=Recording(opening=opening, never=(END,)), max_new_tokens=5)


def some_request(decoder: CausalDecoder, chance: random.Random, *, both_ways: bool = True) -> Request:
    """Return a request of any kind."""
    shown = chance.choice([None, 1, 2]) if both_ways else None
    ids = LONG[: chance.choice([3, 20, 40])] + [
        chance.randrange(3, 50) for _ in range(chance.randrange(1, 8))
    ]
    if chance.random() < 0.2:
        return trying(decoder, ids, shown=shown)
    drawn = {"temperature": 1.3, "seed": chance.randrange(9), "top_p": chance.choice([0.8, 1.0])}
    policy = Recording(
        never=chance.choice([(), (END,)]), told=chance.choice([{}, {1: (6, 7)}, {0: (5,), 2: (9, 8)}])
    )
    return asked(
        decoder,
        ids,
        shown=shown,
        policy=policy,
        max_new_tokens=chance.randrange(1, 12),
        **(drawn if chance.random() < 0.4 else {}),
    )


@pytest.mark.parametrize(
    ("kind", "seed", "chunk"),
    [("llama", 0, 16), ("llama", 1, 7), ("llama", 2, 64), ("llama-grouped", 3, 16), ("phi3-long", 4, 16),
     ("phi3-window", 5, 9), ("gemma", 6, 20)],
)  # fmt: skip
def test_neighbours_times_of_joining_and_chunks_change_nothing(kind: str, seed: int, chunk: int) -> None:
    decoder = CausalDecoder(tiny(kind))
    both_ways = kind == "llama"
    chance = random.Random(seed)
    state = chance.getstate()
    requests = [some_request(decoder, chance, both_ways=both_ways) for _ in range(14)]
    chance.setstate(state)
    again = [some_request(decoder, chance, both_ways=both_ways) for _ in range(14)]
    joining = sorted(chance.randrange(25) for _ in requests)
    limits = BatchLimits(
        rows=chance.choice([3, 5, 20]),
        cache_bytes=1 << 20,
        chunk=chunk,
        quiet_chunk=chance.choice([chunk, 80]),
    )
    batch = ContinuousDecoding(decoder, limits=limits, prefixes=chance.choice([None, PrefixCache()]))
    done: dict[int, Completion] = {}
    tickets: list[int] = []
    for step in range(400):
        while len(tickets) < len(requests) and joining[len(tickets)] <= step:
            tickets.append(batch.submit(requests[len(tickets)]))
        for event in batch.advance():
            assert isinstance(event, Event), event
            if event.completion is not None:
                done[event.number] = event.completion
        if len(done) == len(requests):
            break
    assert batch.idle and len(done) == len(requests)
    for ticket, request in zip(tickets, again, strict=True):
        alone = ContinuousDecoding(decoder, limits=BatchLimits(quiet_chunk=None))
        alone.submit(request)
        (completion,) = run(alone).values()
        assert done[ticket].ids == completion.ids and done[ticket].finish == completion.finish
        assert done[ticket].logprobs == pytest.approx(completion.logprobs, abs=1e-4)
        assert done[ticket].places == completion.places
        if request.policy.opening is None:  # type: ignore[attr-defined]
            ids, logprobs = written_anew(decoder, request)
            assert completion.ids == tuple(ids) and completion.logprobs == pytest.approx(logprobs, abs=1e-4)


def test_limits_are_whole_numbers() -> None:
    for wrong in ({"rows": 0}, {"chunk": -1}, {"cache_bytes": 1.5}, {"quiet_chunk": True}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            BatchLimits(**wrong)  # type: ignore[arg-type]


# Reading in chunks.


def test_no_more_is_read_between_two_tokens_than_the_chunk(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(chunk=16, quiet_chunk=100))
    batch.submit(endless(decoder, [3], 30))
    batch.advance()
    for tail in (4, 5):
        batch.submit(endless(decoder, [tail, *LONG[:34]], 3))
    written, read = [], [batch.statistics.tokens_read]
    while batch.reading or batch.waiting:
        written.append([event.number for event in batch.advance()])
        read.append(batch.statistics.tokens_read)
    counts = [after - before for before, after in itertools.pairwise(read)]
    assert counts[0] == 0, "more memory for two further rows takes that advance's time"
    assert all(0 < count <= 16 for count in counts[1:])
    assert len(written) == 6 and all(0 in numbers for numbers in written), "70 positions"
    done = run(batch)
    assert [len(done[number].ids) for number in range(3)] == [30, 3, 3]


def test_once_a_step_is_known_answers_take_theirs_in_the_forward_that_reads(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(chunk=16, quiet_chunk=100))
    for first in (3, 6):
        batch.submit(endless(decoder, [first], 20))
    while batch.writing < 2:
        batch.advance()
    batch.submit(endless(decoder, [4, *LONG], 3))
    forwards = []
    while batch.reading or batch.waiting:
        with reads_of(decoder) as read:
            written = [event.number for event in batch.advance()]
        assert {0, 1} <= set(written)
        forwards.append(read)
    beside = [read for read in forwards if read and read[0][:2] == [1, 1]]
    assert 2 <= len(beside) >= len(forwards) - 2, "first, memory is made and a step is measured alone"
    assert all(len(read) == 1 and len(read[0]) == 3 for read in beside), "one forward for all"
    done = run(batch)
    assert [len(done[number].ids) for number in range(3)] == [20, 20, 3]


def test_what_sees_itself_both_ways_is_read_at_once(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(chunk=2, quiet_chunk=2))
    request = asked(decoder, LONG[:9], shown=1, max_new_tokens=4)
    batch.submit(request)
    with reads_of(decoder) as read:
        (completion,) = run(batch).values()
    assert read == [[5], [2], [2], [2], [2], [1]]
    assert list(completion.ids) == written_anew(decoder, request)[0]


def test_a_prompt_of_the_second_regime_is_read_in_it_from_the_first_chunk_on() -> None:
    decoder = CausalDecoder(tiny("phi3-long"))
    request = endless(decoder, LONG[: SWITCH + 5], 4)
    for chunk in (3, SWITCH - 1, SWITCH + 1):
        batch = ContinuousDecoding(decoder, limits=BatchLimits(chunk=chunk, quiet_chunk=chunk))
        request.policy.ids.clear()  # type: ignore[attr-defined]
        batch.submit(request)
        (completion,) = run(batch).values()
        request.policy.ids.clear()  # type: ignore[attr-defined]
        assert list(completion.ids) == written_anew(decoder, request)[0]


def test_questions_that_come_together_read_what_they_share_once(decoder: CausalDecoder) -> None:
    for chunks in ({"quiet_chunk": 200}, {"quiet_chunk": 16, "chunk": 16}):
        batch = ContinuousDecoding(decoder, limits=BatchLimits(**chunks))
        requests = [endless(decoder, [*LONG, tail, 3], 4, shown=3) for tail in range(5, 13)]
        for request in requests:
            batch.submit(request)
        done = run(batch)
        shared = 5 + len(LONG)
        statistics = batch.statistics
        assert statistics.tokens_read == shared + 8 * 2 and statistics.tokens_reused == 7 * shared
        assert (statistics.prefixes_found, statistics.prefixes_missed) == (7, 1)
        assert statistics.tokens_written == 8 * 4
        for number, request in enumerate(requests):
            assert list(done[number].ids) == written_anew(decoder, request)[0]


def test_who_comes_later_takes_over_what_another_one_is_reading_or_has_read(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(chunk=16, quiet_chunk=16))
    batch.submit(endless(decoder, [*LONG, 4], 8))
    batch.advance()
    batch.submit(endless(decoder, [*LONG, 5, 6], 8))
    while batch.reading:
        batch.advance()
    batch.submit(endless(decoder, [*LONG, 7], 8))
    run(batch)
    assert batch.statistics.tokens_read == 41 + 2 + 1


def test_whoever_waited_for_a_leader_that_left_reads_alone(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(quiet_chunk=LEAST_SHARED))
    first = batch.submit(endless(decoder, [*LONG, 4], 3))
    request = endless(decoder, [*LONG, 5, 6], 3)
    second = batch.submit(request)
    batch.advance()
    batch.cancel(first)
    done = run(batch)
    assert done[first].finish == "cancelled" and done[first].ids == ()
    assert list(done[second].ids) == written_anew(decoder, request)[0]
    assert batch.statistics.tokens_read == 42, "what the other one has read is taken over"


# Memory.


def test_memory_is_as_large_as_it_says(decoder: CausalDecoder) -> None:
    assert decoder.new_store(3, 7).nbytes == 21 * POSITION


def test_what_can_never_fit_is_refused(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(cache_bytes=50 * POSITION))
    with pytest.raises(TooLarge, match=r"40 positions and its answer up to 11: 0\.0 MiB"):
        batch.submit(endless(decoder, LONG, 11))
    assert batch.idle
    batch.submit(endless(decoder, LONG, 10))
    assert len(run(batch)[0].ids) == 10


def test_what_does_not_fit_now_waits_and_memory_stays_within_the_budget(decoder: CausalDecoder) -> None:
    budget = 120 * POSITION
    batch = ContinuousDecoding(decoder, limits=BatchLimits(rows=10, cache_bytes=budget))
    chance = random.Random(0)
    requests = []
    for number in range(30):
        length = chance.choice([2, 10, 39])
        requests.append(endless(decoder, [number + 3, *LONG[:length]], chance.randrange(1, 20)))
        batch.submit(requests[-1])
    most = 0
    done: dict[int, Completion] = {}
    while not batch.idle:
        for event in batch.advance():
            assert isinstance(event, Event)
            if event.completion is not None:
                done[event.number] = event.completion
        assert batch.statistics.cache_bytes <= budget
        most = max(most, batch.writing)
    assert 3 <= most <= 10 and len(done) == 30
    for number, request in enumerate(requests):
        assert list(done[number].ids) == written_anew(decoder, request)[0]


def test_a_long_request_does_not_starve_among_short_ones(decoder: CausalDecoder) -> None:
    """It needs all of the memory, and short ones never cease to come."""
    batch = ContinuousDecoding(decoder, limits=BatchLimits(rows=4, cache_bytes=60 * POSITION))
    for _ in range(6):
        batch.submit(endless(decoder, [3, 4], 6))
    long = batch.submit(endless(decoder, LONG, 20))
    later: list[int] = []
    for step in range(200):
        if step < 60:
            later.append(batch.submit(endless(decoder, [5, 6], 6)))
        ended = [event.number for event in batch.advance() if isinstance(event, Event) and event.completion]
        assert long in ended or not set(ended) & set(later), "nobody overtakes it"
        if long in ended:
            break
    assert step < 40


def test_cancelled_requests_make_room_at_once(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder, limits=BatchLimits(rows=2, chunk=16, quiet_chunk=100))
    first, second, third, fourth = (batch.submit(endless(decoder, [n, 5], 50)) for n in (3, 4, 5, 6))
    batch.advance()
    batch.advance()
    assert (batch.writing, batch.waiting) == (2, 2)
    batch.cancel(first)
    batch.cancel(third)
    batch.cancel(third)
    batch.cancel(99)
    events = {event.number: event for event in batch.advance() if isinstance(event, Event)}
    assert events[third].completion is not None and events[third].completion.ids == ()
    assert events[first].completion is not None and events[first].completion.finish == "cancelled"
    assert len(events[first].completion.ids) == 2 and events[second].completion is None
    assert (batch.writing, batch.waiting) == (2, 0), "the fourth has the first one's row already"
    for ticket in (second, fourth):
        batch.cancel(ticket)
    assert {one.finish for one in run(batch).values()} == {"cancelled"} and batch.idle


# What goes wrong with one of them.


class Raising(Recording):
    """A policy that raises; where says in which of its methods."""

    def __init__(self, where: str, count: int = 2) -> None:
        super().__init__(never=(END,))
        self.where, self.count = where, count

    def fail(self, where: str) -> None:
        if where == self.where:
            self.count -= 1
            if self.count <= 0:
                raise ValueError(f"in {where}")

    def start(self, logits: Tensor) -> Start:
        if self.where == "start":
            raise ValueError("in start")
        yield [Probe((5,))]
        if self.where == "probe":
            raise ValueError("in probe")
        return ()

    def forced(self, hidden: Tensor) -> Sequence[int]:
        self.fail("forced")
        return super().forced(hidden)

    def constrain(self, logits: Tensor) -> Tensor:
        self.fail("constrain")
        return super().constrain(logits)

    def accept(self, token: int, logprob: float) -> Delta:
        self.fail("accept")
        return super().accept(token, logprob)

    def close(self, finish: str) -> Delta:
        if self.where == "close":
            raise ValueError("in close")
        return Delta()


@pytest.mark.parametrize("where", ["start", "probe", "forced", "constrain", "accept", "close"])
def test_a_policy_that_raises_fails_its_own_request_only(decoder: CausalDecoder, where: str) -> None:
    batch = ContinuousDecoding(decoder)
    good = [endless(decoder, [3, 4], 6), endless(decoder, [8, 4], 9)]
    tickets = [
        batch.submit(good[0]),
        batch.submit(asked(decoder, [5], policy=Raising(where), max_new_tokens=4)),
        batch.submit(good[1]),
    ]
    events: list[Event | Broken] = []
    while not batch.idle:
        events += batch.advance()
    (broken,) = [event for event in events if isinstance(event, Broken)]
    assert broken.number == tickets[1] and str(broken.error) == f"in {where}"
    done = {
        event.number: event.completion for event in events if isinstance(event, Event) and event.completion
    }
    for ticket, request in zip((tickets[0], tickets[2]), good, strict=True):
        completion = done[ticket]
        assert completion is not None and list(completion.ids) == written_anew(decoder, request)[0]


def test_numbers_that_are_not_finite_fail_the_request_they_are_in(decoder: CausalDecoder) -> None:
    batch = ContinuousDecoding(decoder)
    good = endless(decoder, [3, 4], 6)
    bad = endless(decoder, [5, 6], 6)
    bad.embedded.vectors[0] = float("nan")
    tickets = [batch.submit(bad), batch.submit(good)]
    events: list[Event | Broken] = []
    while not batch.idle:
        events += batch.advance()
    (broken,) = [event for event in events if isinstance(event, Broken)]
    assert broken.number == tickets[0] and isinstance(broken.error, BadWeights)
    # whoever gets the row next sees nothing of it
    batch.submit(endless(decoder, LONG, 6))
    batch.submit(endless(decoder, LONG[:3], 6))
    assert len(run(batch)) == 2 and torch.is_grad_enabled()

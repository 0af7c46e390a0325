"""The memory of encoded pictures: many threads, each picture once, within a budget; failures forgotten."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box
from deixis.systems.encoded import Encoded, EncodedCache, EncoderInput, tensor_bytes

SECONDS = 2.0


def picture(number: int, *, side: int = 8) -> Picture:
    return open_picture(np.full((side, side, 3), number, np.uint8))


@dataclass
class Encoder:
    """Encodes a picture as its first pixel, slowly, and counts what it is asked for."""

    takes: float = 0.0
    counts: Counter[Hashable] = field(default_factory=Counter)
    batches: list[int] = field(default_factory=list)

    def __call__(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        self.batches.append(len(inputs))
        self.counts.update(one.key for one in inputs)
        time.sleep(self.takes)
        return [encoded(one) for one in inputs]


def encoded(given: EncoderInput, *, numbers: int = 1) -> Encoded:
    tensors = {"first": torch.full((numbers,), int(given.picture.pixels[0, 0, 0]))}
    return Encoded(given.key, given.picture.frame, given.picture, tensors)


def test_eight_threads_encode_each_of_sixteen_pictures_once() -> None:
    cache, encoder = EncodedCache(), Encoder(takes=0.02)
    inputs = [EncoderInput(picture(number)) for number in range(16)]
    faults: list[BaseException] = []
    asked = Counter[int]()
    until = time.monotonic() + SECONDS

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            while time.monotonic() < until:
                chosen = [chance.randrange(16) for _ in range(chance.randrange(1, 4))]
                found = cache.get([inputs[number] for number in chosen], encoder)
                assert [int(one.tensors["first"][0]) for one in found] == chosen
                asked.update(chosen)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=SECONDS + 30)
    assert not any(thread.is_alive() for thread in threads), "threads wait for each other"
    assert not faults, faults[0]
    assert len(asked) == 16 and set(encoder.counts.values()) == {1} and len(encoder.counts) == 16


def test_what_is_not_known_yet_is_one_batch() -> None:
    cache, encoder = EncodedCache(), Encoder()
    one, two, three = (EncoderInput(picture(number)) for number in (1, 2, 3))
    cache.get([two], encoder)
    found = cache.get([one, two, three, one], encoder)
    assert encoder.batches == [1, 2]
    assert [int(each.tensors["first"][0]) for each in found] == [1, 2, 3, 1] and found[0] is found[3]
    assert cache.get([], encoder) == [] and len(cache) == 3


def test_a_picture_is_known_by_its_content() -> None:
    """Not by its object; and with something painted on it, it is another one."""
    cache, encoder = EncodedCache(), Encoder()
    first, again = picture(7), picture(7)
    spot = Box(1, 1, 3, 3, frame=first.frame)
    cache.get([EncoderInput(first)], encoder)
    cache.get([EncoderInput(again)], encoder)
    assert encoder.batches == [1]
    cache.get([EncoderInput(first, (spot,))], encoder)
    cache.get([EncoderInput(again, (Box(1, 1, 3, 3, frame=again.frame),))], encoder)
    cache.get([EncoderInput(first, (spot, spot))], encoder)
    assert encoder.batches == [1, 1, 1]


def test_frames_without_a_digest_are_told_apart_by_their_pixels() -> None:
    cache, encoder = EncodedCache(), Encoder()
    frame = Frame.original(8, 8)
    both = [EncoderInput(Picture(picture(number).pixels, frame)) for number in (1, 2)]
    assert both[0].picture.frame == both[1].picture.frame and both[0].key != both[1].key
    assert [int(one.tensors["first"][0]) for one in cache.get(both, encoder)] == [1, 2]


def test_a_failure_is_told_to_all_who_wait_and_can_be_tried_again() -> None:
    cache, begun, go_on = EncodedCache(), threading.Event(), threading.Event()
    one, other = EncoderInput(picture(1)), EncoderInput(picture(2))
    told: list[BaseException] = []

    def fail(inputs: Sequence[EncoderInput]) -> list[Encoded]:
        begun.set()
        assert go_on.wait(timeout=30)
        raise MemoryError("no room")

    def ask() -> None:
        try:
            cache.get([one], fail)
        except BaseException as fault:
            told.append(fault)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert begun.wait(timeout=30)
    for thread in threads[1:]:
        thread.start()
    while cache._lock.locked() or sum(thread.is_alive() for thread in threads) < 4:
        time.sleep(0.01)
    time.sleep(0.05)  # they wait by now
    go_on.set()
    for thread in threads:
        thread.join(timeout=30)
    assert [str(fault) for fault in told] == ["no room"] * 4
    assert len(cache) == 0
    encoder = Encoder()
    assert [int(each.tensors["first"][0]) for each in cache.get([one, other], encoder)] == [1, 2]
    assert encoder.batches == [2]


def test_an_encoder_that_gives_too_few_is_told() -> None:
    cache, inputs = EncodedCache(), [EncoderInput(picture(number)) for number in (1, 2)]
    with pytest.raises(ValueError, match="shorter"):
        cache.get(inputs, lambda given: [encoded(given[0])])
    assert len(cache) == 0
    assert len(cache.get(inputs, Encoder())) == 2


def test_the_oldest_go_beyond_the_budget() -> None:
    size = encoded(EncoderInput(picture(0))).nbytes
    cache, encoder = EncodedCache(budget=3 * size), Encoder()
    inputs = [EncoderInput(picture(number)) for number in range(4)]
    for one in inputs[:3]:
        cache.get([one], encoder)
    cache.get(inputs[:1], encoder)  # the first is used again: the second is the oldest now
    cache.get(inputs[3:], encoder)
    assert len(cache) == 3 and encoder.batches == [1] * 4
    for number in (0, 2, 3):
        cache.get([inputs[number]], encoder)
    assert encoder.batches == [1] * 4
    cache.get([inputs[1]], encoder)
    assert encoder.batches == [1] * 5


def test_the_picture_that_is_asked_about_stays_whatever_its_size() -> None:
    cache, encoder = EncodedCache(budget=0), Encoder()
    for number in (1, 1, 2, 2):
        cache.get([EncoderInput(picture(number))], encoder)
    assert encoder.batches == [1, 1] and len(cache) == 1
    both = cache.get([EncoderInput(picture(number)) for number in (3, 4)], encoder)
    assert len(both) == 2 and len(cache) == 1, "what was asked for is given, even where it isn't kept"


def test_a_size_counts_all_tensors_and_the_view() -> None:
    @dataclass(frozen=True)
    class Parts:
        one: torch.Tensor
        others: tuple[Any, ...]
        name: str = "parts"

    half = torch.zeros(10, dtype=torch.bfloat16)
    parts = Parts(torch.zeros(3, 4), (half, [np.zeros(5)], {"a": half, "b": None}))
    assert tensor_bytes(parts) == 3 * 4 * 4 + 10 * 2 + 5 * 8 + 10 * 2
    seen = picture(1)
    assert Encoded("key", seen.frame, seen, parts).nbytes == tensor_bytes(parts) + 8 * 8 * 3

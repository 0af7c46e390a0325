"""What is remembered of prompts: the longest beginning is found, the latest are kept, many threads use it."""

from __future__ import annotations

import random
import threading
from collections.abc import Hashable, Sequence

import pytest
import torch

from deixis.engine.embedded import Embedded
from deixis.engine.prefixes import PrefixCache
from deixis.engine.store import KeyValueStore

WIDTH = 4
POSITION = 2 * WIDTH * 4  # bytes of a position: one layer, one head, keys and values
PICTURE = [("picture", cell) for cell in range(4)]


def new_store() -> KeyValueStore:
    return KeyValueStore(
        layers=1,
        rows=1,
        heads=1,
        slots=8,
        head_width=WIDTH,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


def store_of(identity: Sequence[Hashable], *, regime: int = 0) -> KeyValueStore:
    """Return a store whose row holds at each position what follows from all up to it, as a decoder's does."""
    store = new_store()
    store.add()
    store.ensure(slots=len(identity))
    for at in range(len(identity)):
        store.keys[0][0, 0, at] = store.values[0][0, 0, at] = number_of(identity[: at + 1])
    store.lengths[0], store.regimes[0] = len(identity), regime
    return store


def number_of(identity: Sequence[Hashable]) -> float:
    return float(hash(tuple(identity)) % 10_007)


def keep(cache: PrefixCache, identity: Sequence[Hashable], *, regime: int = 0) -> None:
    cache.keep(identity, store_of(identity, regime=regime), 0)


def prompt(identity: Sequence[Hashable], *, prefix: int = 0) -> Embedded:
    return Embedded(torch.zeros(len(identity), WIDTH), tuple(identity), prefix)


def loaded(cache: PrefixCache, identity: Sequence[Hashable], *, regime: int = 0, prefix: int = 0) -> int:
    """Return how much is taken over of a prompt, after a look at what it is."""
    store = new_store()
    store.add()
    wanted = prompt(identity, prefix=prefix)
    expected = cache.shared(wanted, regime=regime)
    count = cache.load(wanted, store, 0, regime=regime)
    assert store.lengths == [count] and count == expected
    assert not count or store.regimes == [regime]
    for at in range(count):
        assert store.keys[0][0, 0, at, 0] == store.values[0][0, 0, at, 1] == number_of(identity[: at + 1])
    return count


def test_vectors_and_identities_are_counted() -> None:
    with pytest.raises(ValueError, match="3 vectors came with 2 identities"):
        Embedded(torch.zeros(3, WIDTH), (1, 2))


def test_the_last_position_is_always_read_anew() -> None:
    """It has to say what comes next."""
    one = prompt([1, 2, 3])
    assert one.shared_with([1, 2, 3]) == 2 and one.shared_with([1, 2, 3, 4, 5]) == 2
    assert one.shared_with([1, 9, 3]) == 1 and one.shared_with([]) == 0 and prompt([1]).shared_with([1]) == 0
    cache = PrefixCache()
    keep(cache, [1, 2, 3, 4])
    assert loaded(cache, [1, 2, 3]) == 2 and loaded(cache, [1]) == 0


def test_a_picture_is_taken_over_as_a_whole_or_not_at_all() -> None:
    one = prompt([*PICTURE, 1, 2], prefix=4)
    assert one.shared_with(PICTURE[:3]) == 0 and one.shared_with([*PICTURE[:3], "other"]) == 0
    assert one.shared_with(PICTURE) == 4 and one.shared_with([*PICTURE, 1, 2]) == 5
    assert prompt([*PICTURE[:3], 1], prefix=3).shared_with(PICTURE) == 3
    cache = PrefixCache()
    keep(cache, [*PICTURE[:3], "other"])
    assert loaded(cache, [*PICTURE, 1], prefix=4) == 0
    keep(cache, [*PICTURE, 7])
    assert loaded(cache, [*PICTURE, 1], prefix=4) == 4


def test_more_tokens_behind_a_prompt_weigh_nothing_more() -> None:
    bias = torch.tensor([-1.0, -1.0, 0.0])
    longer = Embedded(torch.ones(3, WIDTH), (*PICTURE[:2], 7), 2, bias).followed_by(
        [8, 9], torch.zeros(2, WIDTH, dtype=torch.float64)
    )
    assert longer.identity == (*PICTURE[:2], 7, 8, 9) and longer.prefix == 2
    assert longer.key_bias is not None and longer.key_bias.tolist() == [-1.0, -1.0, 0.0, 0.0, 0.0]
    assert longer.vectors.dtype == torch.float32 and longer.vectors.sum(dim=1).tolist() == [4, 4, 4, 0, 0]
    plain = prompt([1])
    assert plain.followed_by([], torch.zeros(0, WIDTH)) is plain
    assert plain.followed_by([2], torch.zeros(1, WIDTH)).key_bias is None


def test_the_longest_beginning_is_found() -> None:
    cache = PrefixCache()
    for identity in ([1, 2, 3, 4], [1, 2, 5], [8, 9], [1, 2, 3, 6, 6]):
        keep(cache, identity)
    assert loaded(cache, [1, 2, 3, 7, 7]) == 3 and loaded(cache, [1, 2, 3, 6, 7]) == 4
    assert loaded(cache, [1, 2, 5, 5]) == 3 and loaded(cache, [1, 9]) == 1 and loaded(cache, [8, 9, 1]) == 2
    assert loaded(cache, [4, 4, 4]) == 0 and loaded(cache, []) == 0 and loaded(PrefixCache(), [1, 2]) == 0
    assert (cache.hits, cache.misses) == (5, 2)


def test_what_prompts_begin_with_is_kept_once() -> None:
    cache = PrefixCache()
    for identity in ([1, 2, 3, 4], [1, 2, 5], [1, 2], [1, 2, 3, 4, 6], [1, 2, 3, 4]):
        keep(cache, identity)
    assert cache.nbytes == 6 * POSITION and len(cache) == 4


def test_keys_of_another_regime_are_of_no_use() -> None:
    cache = PrefixCache()
    keep(cache, [1, 2, 3, 4], regime=1)
    keep(cache, [1, 2, 5], regime=0)
    assert loaded(cache, [1, 2, 3, 4, 5], regime=0) == 2
    assert loaded(cache, [1, 2, 3, 4, 5], regime=1) == 4


def test_the_oldest_go_beyond_the_budget_and_the_one_used_last_stays() -> None:
    cache = PrefixCache(budget=10 * POSITION)
    for number in (1, 2, 3):
        keep(cache, [number] * 3)
    assert loaded(cache, [1, 1, 0]) == 2  # the first is used again
    keep(cache, [4] * 3)
    assert [number for number in (1, 2, 3, 4) if loaded(cache, [number, 0])] == [1, 3, 4]
    assert cache.nbytes == 9 * POSITION


def test_branches_go_before_what_they_grew_from() -> None:
    cache = PrefixCache(budget=6 * POSITION)
    for tail in (5, 6, 7):
        keep(cache, [1, 2, 3, tail])
    keep(cache, [8])
    assert cache.nbytes == 6 * POSITION and loaded(cache, [1, 2, 3, 7, 0]) == 4
    assert loaded(cache, [1, 2, 3, 5, 0]) == 3


def test_what_is_larger_than_the_budget_is_not_kept() -> None:
    cache = PrefixCache(budget=3 * POSITION)
    keep(cache, [1, 1, 1])
    keep(cache, [2, 2, 2, 2])
    assert len(cache) == 1 and loaded(cache, [1, 0]) == 1
    cache.clear()
    assert len(cache) == 0 == cache.nbytes and loaded(cache, [1, 0]) == 0


def test_many_threads_share_one_memory() -> None:
    cache = PrefixCache(budget=30 * POSITION)
    faults: list[BaseException] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(300):
                identity = [chance.randrange(2) for _ in range(chance.randrange(1, 9))]
                store = new_store()
                store.add()
                count = cache.load(prompt([*identity, 9]), store, 0, regime=0)
                assert [float(one) for one in store.keys[0][0, 0, :count, 0]] == [
                    number_of(identity[: at + 1]) for at in range(count)
                ]
                keep(cache, identity)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[0]
    assert 0 < cache.nbytes <= 30 * POSITION and sum(one.nbytes for one in cache._branches()) == cache.nbytes

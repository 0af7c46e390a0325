"""What is remembered of prompts: the longest beginning is found, the latest are kept, many threads use it."""

from __future__ import annotations

import random
import threading
from collections.abc import Hashable, Sequence

import pytest
import torch

from deixis.engine.embedded import Embedded
from deixis.engine.prefixes import KnownPrefix, PrefixCache
from deixis.engine.store import SavedKeys

WIDTH = 4


def saved(length: int, *, regime: int = 0) -> SavedKeys:
    return SavedKeys(((torch.zeros(1, length, WIDTH), torch.zeros(1, length, WIDTH)),), regime)


def known(identity: Sequence[Hashable], *, regime: int = 0) -> KnownPrefix:
    return KnownPrefix(tuple(identity), saved(len(identity), regime=regime))


def prompt(identity: Sequence[Hashable], *, prefix: int = 0) -> Embedded:
    return Embedded(torch.zeros(len(identity), WIDTH), tuple(identity), prefix)


ONE_POSITION = saved(1).nbytes
PICTURE = [("picture", cell) for cell in range(4)]


def test_vectors_and_identities_are_counted() -> None:
    with pytest.raises(ValueError, match="3 vectors came with 2 identities"):
        Embedded(torch.zeros(3, WIDTH), (1, 2))


def test_the_last_position_is_always_read_anew() -> None:
    """It has to say what comes next."""
    one = prompt([1, 2, 3])
    assert one.shared_with([1, 2, 3]) == 2 and one.shared_with([1, 2, 3, 4, 5]) == 2
    assert one.shared_with([1, 9, 3]) == 1 and one.shared_with([]) == 0 and prompt([1]).shared_with([1]) == 0


def test_a_picture_is_taken_over_as_a_whole_or_not_at_all() -> None:
    one = prompt([*PICTURE, 1, 2], prefix=4)
    assert one.shared_with(PICTURE[:3]) == 0 and one.shared_with([*PICTURE[:3], "other"]) == 0
    assert one.shared_with(PICTURE) == 4 and one.shared_with([*PICTURE, 1, 2]) == 5
    assert prompt([*PICTURE[:3], 1], prefix=3).shared_with(PICTURE) == 3


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
    short, long, other = known([1, 2, 5]), known([1, 2, 3, 4]), known([8, 9])
    for one in (long, short, other):
        cache.keep(one)
    found = cache.longest(prompt([1, 2, 3, 7, 7]), regime=0)
    assert found is not None and found[0] is long and found[1] == 3
    assert cache.longest(prompt([4, 4, 4]), regime=0) is None
    assert cache.longest(prompt([]), regime=0) is None
    assert PrefixCache().longest(prompt([1, 2]), regime=0) is None


def test_keys_of_another_regime_are_of_no_use() -> None:
    cache = PrefixCache()
    cache.keep(known([1, 2, 3, 4], regime=1))
    cache.keep(known([1, 2, 5], regime=0))
    found = cache.longest(prompt([1, 2, 3, 4, 5]), regime=0)
    assert found is not None and found[1] == 2
    found = cache.longest(prompt([1, 2, 3, 4, 5]), regime=1)
    assert found is not None and found[1] == 4


def test_what_a_longer_prefix_begins_with_is_let_go() -> None:
    cache = PrefixCache()
    cache.keep(known([1, 2]))
    cache.keep(known([1, 2, 3]))
    cache.keep(known([1, 2, 3]))
    assert len(cache) == 1
    cache.keep(known([1, 2, 4]))
    assert len(cache) == 2


def test_the_oldest_go_beyond_the_budget_and_the_one_used_last_stays() -> None:
    cache = PrefixCache(budget=10 * ONE_POSITION)
    for number in (1, 2, 3):
        cache.keep(known([number] * 3))
    assert cache.longest(prompt([1, 1, 0]), regime=0) is not None  # the first is used again
    cache.keep(known([4] * 3))
    kept = [number for number in (1, 2, 3, 4) if cache.longest(prompt([number, 0]), regime=0)]
    assert kept == [1, 3, 4]


def test_what_is_larger_than_the_budget_is_not_kept() -> None:
    cache = PrefixCache(budget=3 * ONE_POSITION)
    cache.keep(known([1, 1, 1]))
    cache.keep(known([2, 2, 2, 2]))
    assert len(cache) == 1 and cache.longest(prompt([1, 0]), regime=0) is not None


def test_two_that_read_the_same_at_once_do_not_mind() -> None:
    """The one that was found may have been replaced by its equal meanwhile."""
    cache = PrefixCache()
    first = known([1, 2, 3])
    cache.keep(first)
    one = prompt([1, 2, 3, 4])
    kept = one.shared_with
    object.__setattr__(one, "shared_with", lambda identity: cache.keep(known([1, 2, 3])) or kept(identity))
    found = cache.longest(one, regime=0)
    assert found == (first, 3) and len(cache) == 1


def test_many_threads_share_one_memory() -> None:
    cache = PrefixCache(budget=60 * ONE_POSITION)
    faults: list[BaseException] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(400):
                identity = [chance.randrange(2) for _ in range(chance.randrange(1, 9))]
                found = cache.longest(prompt([*identity, 9]), regime=0)
                if found is not None:
                    assert found[0].identity[: found[1]] == tuple(identity)[: found[1]]
                cache.keep(known(identity))
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[0]
    assert 0 < len(cache) <= 60

"""Orders: what an epoch holds, how it is grouped, and that it is a function of seed and epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from deixis.data.grit.mixing import MultipliedSource
from deixis.data.mixture import JoinedSource
from deixis.errors import RecipeError
from deixis.training.batches import Batches
from deixis.training.order import (
    LengthGroups,
    Shuffled,
    SourceGroups,
    even_chunks,
    grouped,
    length_grouped,
    order_of,
)
from tests.training.toy_objective import Sentences, recipe

# Of the published implementation: lengths, batch, passes, seed, and its two orders (with and without kinds).
PUBLISHED = [
    (
        [-21, 26, -5, 7, -4, 14, 28, 16, 28, 37, 15, -38, 37, -4, 3, 9, 10],
        (4, 2, 7),
        [9, 14, 10, 16, 6, 1, 8, 7, 11, 4, 0, 2, 3, 5, 12, 13, 15],
        [11, 3, 9, 5, 8, 7, 6, 16, 12, 13, 1, 10, 15, 14, 2, 4, 0],
    ),
    (
        [22, 39, 52, 54, 18, 43, -47, 42, -44],
        (4, 1, 7),
        [3, 5, 1, 0, 2, 4, 6, 7, 8],
        [8, 5, 1, 0, 3, 2, 6, 7, 4],
    ),
]


def chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("lengths", "settings", "kinds", "plain"), PUBLISHED)
def test_length_groups_are_the_published_ones(
    lengths: list[int], settings: tuple[int, int, int], kinds: list[int], plain: list[int]
) -> None:
    size, chunks, seed = settings
    assert length_grouped(lengths, size=size, chunks=chunks, chance=chance(seed)) == kinds
    groups = grouped([abs(length) for length in lengths], size=size, chunks=chunks, chance=chance(seed))
    assert [i for group in groups for i in group] == plain
    alike = [abs(length) for length in lengths]
    assert length_grouped(alike, size=size, chunks=chunks, chance=chance(seed)) == plain


def test_the_published_sampler_keeps_negative_lengths_of_words_alone() -> None:
    lengths = [-4, -9, -2, -7, -1, -6, -8, -3]
    published = length_grouped(lengths, size=4, chunks=2, chance=chance(3), published=True)
    groups = grouped(lengths, size=4, chunks=2, chance=chance(3))
    assert published == [i for group in groups for i in group]
    ours = length_grouped(lengths, size=4, chunks=2, chance=chance(3))
    assert ours != published and sorted(ours) == sorted(published) == list(range(8))

    def unevenness(order: list[int]) -> int:
        own = -np.array(lengths)[order].reshape(-1, 2, 2).sum(axis=-1)
        return int(np.abs(own[:, 0] - own[:, 1]).sum())

    assert unevenness(ours) < unevenness(published)


def some_lengths(count: int = 50) -> tuple[int, ...]:
    rng = np.random.default_rng(0)
    signs = np.where(rng.random(count) < 0.3, -1, 1)
    return tuple((rng.integers(1, 400, size=count) * signs).tolist())


ORDERS = [
    Shuffled(50),
    LengthGroups(some_lengths(), batch=8, chunks=2),
    LengthGroups(tuple(map(abs, some_lengths())), batch=8, chunks=4),
    SourceGroups((20, 3, 27), batch=8),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_an_epoch_has_everything_at_most_once(order: Any) -> None:
    epochs = [order.indices(seed=3, epoch=epoch) for epoch in (0, 1, 0)]
    for found in epochs:
        assert len(found) == len(order) == len(set(found.tolist())) and found.dtype == np.int64
        assert found.min() >= 0 and found.max() < 50
    assert np.array_equal(epochs[0], epochs[2]) and not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[0], order.indices(seed=4, epoch=0))
    left_out = {frozenset(range(50)) - set(order.indices(seed=3, epoch=e).tolist()) for e in range(8)}
    assert len(order) == 50 or len(left_out) > 1, "chance says what is left out"


def test_steps_are_of_one_kind_and_their_passes_of_even_work() -> None:
    lengths = some_lengths(400)
    order, plain = LengthGroups(lengths, batch=8, chunks=2), Shuffled(400)
    found = np.array(lengths)[order.indices(seed=1, epoch=0)].reshape(-1, 8)
    mixed = [step for step in found[:-2] if len(set(np.sign(step))) == 2]  # the rests of both come last
    assert not mixed
    shuffled = np.array(lengths)[plain.indices(seed=1, epoch=0)].reshape(-1, 8)

    def unevenness(steps: np.ndarray) -> float:
        halves = np.abs(steps).reshape(-1, 2, 4).sum(axis=-1)
        return float(np.abs(halves[:, 0] - halves[:, 1]).mean())

    assert unevenness(found) < 0.3 * unevenness(shuffled)


def test_chunks_are_equally_many_and_about_equally_long() -> None:
    assert even_chunks([4, 1, 0, 3, 2], [1, 5, 2, 2, 1, 9], 2) == [[4, 0, 2], [1, 3]], "dealt out like cards"
    lengths = sorted((abs(length) for length in some_lengths(12)), reverse=True)
    chunks = even_chunks(range(12), lengths, 3)
    assert [len(chunk) for chunk in chunks] == [4, 4, 4]


def test_steps_of_one_source_each() -> None:
    found = SourceGroups((20, 3, 27), batch=8).indices(seed=0, epoch=0).reshape(-1, 8)
    sources = [{int(np.searchsorted([20, 23], i, side="right")) for i in step} for step in found]
    assert sorted(map(tuple, sources)) == [(0,), (0,), (2,), (2,), (2,)]
    drawn = [SourceGroups((20, 3, 27), batch=8).indices(seed=0, epoch=e)[0] >= 23 for e in range(20)]
    assert len(set(drawn)) == 2, "their steps are mixed"


class Measured(Sentences):
    def lengths(self) -> list[int]:
        return [len(self.example(index, np.random.default_rng())[1]) for index in range(len(self))]


def test_batches_follow_the_order_over_epochs_passes_and_processes() -> None:
    source, given = Measured(), recipe(order="length_groups", batch=4, per_device_batch=1)
    order = order_of(source, given, chunks=4)
    assert len(order) == 8
    expected = [order.indices(seed=5, epoch=epoch).tolist() for epoch in (0, 1)]

    def numbers(examples: list[Any]) -> list[int]:
        return [int(name.split()[1]) for name, _, _ in examples]

    whole = Batches(source, numbers, seed=5, size=4, order=order)  # type: ignore[arg-type]
    assert [i for number in range(4) for i in whole[number]] == expected[0] + expected[1]  # type: ignore[misc]
    ranks = [
        Batches(source, numbers, seed=5, size=1, rank=rank, world=2, order=order)  # type: ignore[arg-type]
        for rank in (0, 1)
    ]
    single = [ranks[n % 2][n // 2][0] for n in (9, 8, *range(16))]  # type: ignore[index]
    assert single[2:] == expected[0] + expected[1] and single[:2] == [expected[1][1], expected[1][0]]


def test_the_recipe_chooses_and_says_what_is_missing() -> None:
    assert order_of(Sentences(), recipe(), chunks=1) == Shuffled(10)
    for source in (Sentences(), JoinedSource([Measured(), Sentences()]), MultipliedSource(Sentences(), 2.0)):
        with pytest.raises(RecipeError, match="a Sentences doesn't say how long its examples are"):
            order_of(source, recipe(order="length_groups"), chunks=1)
    with pytest.raises(RecipeError, match="but the 10 examples don't fill one"):
        order_of(Measured(), recipe(order="length_groups", batch=11), chunks=1)
    with pytest.raises(RecipeError, match="expected one of 'shuffled', 'length_groups', 'source_groups'"):
        recipe(order="sorted")


def test_sources_together_know_lengths_and_sizes() -> None:
    many = MultipliedSource(Measured(), 1.5)
    joined = JoinedSource([many, Measured()])
    assert joined.lengths() == [Measured().lengths()[i] for i in many.indices] + Measured().lengths()
    assert joined.sizes == (15, 10)
    order = order_of(joined, recipe(order="source_groups"), chunks=1)
    assert order == SourceGroups((15, 10), batch=4) and len(order) == 12 + 8

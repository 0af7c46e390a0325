"""Choosing tokens: greedy by default, drawn in the right shares, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from deixis.engine.sampling import Sampler
from deixis.engine.settings import Settings

NEVER = -float("inf")
LOGITS = torch.tensor([0.5, 2.0, NEVER, 1.0, 2.5])
DRAWS = 4000


def drawn(count: int = DRAWS, logits: torch.Tensor = LOGITS, **settings: Any) -> list[int]:
    sampler = Sampler(Settings(**settings))
    return [sampler.choose(logits) for _ in range(count)]


def test_without_a_temperature_the_likeliest_is_taken() -> None:
    assert set(drawn(20)) == {4}
    assert set(drawn(20, seed=3, top_p=0.1)) == {4}, "whatever else is set"


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_are_drawn_in_the_shares_of_the_softmax(temperature: float) -> None:
    shares = (LOGITS / temperature).softmax(dim=-1)
    counts = Counter(drawn(temperature=temperature, seed=0))
    for token, share in enumerate(shares.tolist()):
        assert counts[token] / DRAWS == pytest.approx(share, abs=0.03)
    assert counts[2] == 0, "what is forbidden is never drawn"


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.01, {4}), (0.5, {4}), (0.6, {4, 1}), (0.9, {4, 1, 3}), (0.95, {4, 1, 3, 0}), (1.0, {4, 1, 3, 0})],
)
def test_only_the_likeliest_that_together_have_a_share_are_drawn(top_p: float, kept: set[int]) -> None:
    """The shares are .52, .32, .12 and .07 or so: the token that reaches the share is one of them."""
    counts = Counter(drawn(temperature=1.0, top_p=top_p, seed=1))
    assert set(counts) == kept
    shares = LOGITS.softmax(dim=-1)
    whole = sum(float(shares[token]) for token in kept)
    for token in kept:
        assert counts[token] / DRAWS == pytest.approx(float(shares[token]) / whole, abs=0.03)


def test_a_seed_is_a_source_of_chance_of_its_own() -> None:
    torch.manual_seed(0)
    first = drawn(40, temperature=2.0, seed=5)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, other = (Sampler(Settings(temperature=2.0, seed=seed)) for seed in (5, 6))
    mixed = []
    for _ in range(40):  # another answer draws in between
        mixed.append(one.choose(LOGITS))
        other.choose(LOGITS)
    assert mixed == first
    assert torch.get_rng_state().equal(before), "nobody else's chance is used up"


def test_without_a_seed_every_answer_is_another() -> None:
    torch.manual_seed(0)
    first = drawn(40, temperature=3.0)
    torch.manual_seed(0)
    assert drawn(40, temperature=3.0) != first


def test_a_seed_means_the_same_in_half_precision() -> None:
    """Up to what rounding makes of the logits: these are exact in both."""
    exact = torch.tensor([0.5, 2.0, 1.0, 2.5])
    assert drawn(40, exact.bfloat16(), temperature=1.0, seed=2) == drawn(40, exact, temperature=1.0, seed=2)


def test_the_only_token_that_is_allowed_is_taken_at_any_temperature() -> None:
    only = torch.full((5,), NEVER)
    only[3] = -80.0
    for temperature in (0.0, 0.001, 100.0):
        assert set(drawn(10, only, temperature=temperature, seed=0)) == {3}


@pytest.mark.parametrize("temperature", [1.3776270793562265e-158, 5e-324, 1e-20, 1.1e-20])
def test_next_to_no_temperature_is_greedy(temperature: float) -> None:
    sampler = Sampler(Settings(temperature=temperature, seed=0, top_p=0.1))
    logits = torch.tensor([1.0, -float("inf"), 90.0, 89.9])
    assert [sampler.choose(logits) for _ in range(3)] == [2, 2, 2]


def test_next_to_no_share_leaves_the_likeliest() -> None:
    sampler = Sampler(Settings(temperature=36.4, top_p=8e-127, seed=0))
    assert sampler.choose(torch.tensor([0.0, 1.0, 0.5])) == 1

"""Deltas applied and made, bit for bit in float16."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from deixis.checkpoints.convert.corrections import FILE, read_corrections, write_corrections
from deixis.checkpoints.convert.delta import Correction, apply_delta, make_delta, nearest_delta, same_bits
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.errors import BadWeights

ALL = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16).view(torch.float16)
FINITE = ALL[ALL.isfinite()]
EMBEDDING = "model.embed_tokens.weight"
QUERY = "model.layers.0.self_attn.q_proj.weight"
PROJECTOR = "model.mm_projector.weight"


def lazies(state: dict[str, Tensor], where: str) -> dict[str, LazyTensor]:
    return {key: held(tensor, where=where) for key, tensor in state.items()}


def applied(base: dict[str, Tensor], delta: dict[str, Tensor]) -> dict[str, Tensor]:
    parts = apply_delta(lazies(base, "base.bin"), lazies(delta, "delta.bin"))
    return {key: part.read() for key, part in parts.items()}


def normal(*shape: int, seed: int = 0, kind: torch.dtype = torch.float16) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(kind)


def test_the_rules_of_applying() -> None:
    base = {EMBEDDING: normal(5, 3), QUERY: normal(3, 3, seed=1), "model.norm.weight": normal(3, seed=2)}
    delta = {EMBEDDING: normal(7, 3, seed=3), QUERY: normal(3, 3, seed=4), PROJECTOR: normal(3, 2, seed=5)}
    whole = applied(base, delta)
    assert set(whole) == set(delta)  # what only the base has is left out
    assert torch.equal(whole[QUERY], base[QUERY] + delta[QUERY])
    assert torch.equal(whole[EMBEDDING][:5], base[EMBEDDING] + delta[EMBEDDING][:5])
    assert torch.equal(whole[EMBEDDING][5:], delta[EMBEDDING][5:])
    assert torch.equal(whole[PROJECTOR], delta[PROJECTOR])
    assert all(tensor.dtype is torch.float16 for tensor in whole.values())


def test_other_types_become_float16_before_they_are_added() -> None:
    base, delta = normal(3, 3, kind=torch.float32), normal(3, 3, seed=1, kind=torch.float32)
    assert torch.equal(applied({QUERY: base}, {QUERY: delta})[QUERY], base.half() + delta.half())


@pytest.mark.parametrize(
    ("key", "base", "delta", "words"),
    [
        (QUERY, (5, 5), (4, 4), ["[5, 5]", "[4, 4]", "7B and 13B don't mix"]),
        (EMBEDDING, (8, 3), (7, 3), ["[8, 3]", "[7, 3]", "has tokens added to it"]),
        (EMBEDDING, (5, 4), (7, 3), ["[5, 4]", "[7, 3]", "another size"]),
        (QUERY, (2, 3), (3, 3), ["[2, 3]", "[3, 3]"]),
        ("model.norm.weight", (2,), (3,), ["[2]", "[3]"]),
        (QUERY, None, (3, 3), ["the base has no", "[3, 3]", "a file of the base is missing"]),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_read(
    key: str, base: tuple[int, ...] | None, delta: tuple[int, ...], words: list[str]
) -> None:
    bases = {} if base is None else {key: torch.zeros(base)}
    for make in (apply_delta, make_delta):
        with pytest.raises(BadWeights) as caught:
            make(lazies(bases, "base.bin"), lazies({key: torch.zeros(delta)}, "delta.bin"))
        for word in [key, "delta.bin", *words]:
            assert word in str(caught.value)


@pytest.mark.parametrize("base", [0.0, -0.0, 1.0, 0.02, -0.0173, 65504, -65504, 6e-8, 1e-5, 0.999, 2.0**-14])
def test_every_reachable_float16_is_reached(base: float) -> None:
    bases = torch.full_like(FINITE, base)
    # What some delta reaches, found by trying all 63,488 of them.
    reachable = torch.isin(FINITE.view(torch.int16), (bases + FINITE).view(torch.int16))
    found, missed = nearest_delta(bases, FINITE)
    exact = same_bits(bases + found, FINITE)
    assert found.isfinite().all()
    assert torch.equal(exact, reachable)
    assert torch.equal(missed, (~reachable).nonzero().squeeze(1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(*[st.integers(0, len(FINITE) - 1)] * 2), min_size=1, max_size=40))
def test_any_target_comes_back(pairs: list[tuple[int, int]]) -> None:
    base, target = FINITE[torch.tensor(pairs).T]
    check_comes_back({PROJECTOR: base}, {PROJECTOR: target})


def check_comes_back(base: dict[str, Tensor], target: dict[str, Tensor]) -> int:
    """Check that base and the made delta give the target, and return how many places had to be corrected."""
    bases = lazies(base, "base")
    made = make_delta(bases, lazies(target, "target"))
    delta = {key: part.read() for key, part in made.tensors.items()}
    parts = apply_delta(bases, lazies(delta, "delta"), corrections=made.corrections)
    for key, tensor in target.items():
        assert same_bits(parts[key].read(), tensor.to(torch.float16)).all()
    return sum(one.places.numel() for one in made.corrections.values())


def test_a_fine_tuned_model_needs_few_corrections() -> None:
    base = {EMBEDDING: normal(100, 64) * 0.02, QUERY: normal(64, 64, seed=1) * 0.02}
    rows = torch.cat([base[EMBEDDING], normal(2, 64, seed=2)])
    target = {EMBEDDING: tuned(rows, seed=3), QUERY: tuned(base[QUERY], seed=4), PROJECTOR: normal(4, 4)}
    corrected = check_comes_back(base, target)
    assert 0 < corrected < (100 * 64 + 64 * 64) / 100


def tuned(base: Tensor, *, seed: int) -> Tensor:
    return (base.float() + normal(*base.shape, seed=seed, kind=torch.float32) / 10_000).half()


def test_many_pieces_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deixis.checkpoints.convert.delta.PIECE", 7)
    base, target = normal(10, 9), normal(10, 9, seed=1)
    assert check_comes_back({QUERY: base}, {QUERY: target}) > 0


def test_corrections_on_disk(tmp_path: Path) -> None:
    delta = lazies({QUERY: torch.zeros(4, 4)}, "delta")
    assert read_corrections(tmp_path, delta) == {}
    write_corrections(tmp_path, {})
    assert not (tmp_path / FILE).exists()
    one = Correction(torch.tensor([0, 15]), torch.tensor([1.0, -0.0]).half())
    write_corrections(tmp_path, {QUERY: one})
    read = read_corrections(tmp_path, delta)[QUERY]
    assert torch.equal(read.places, one.places) and same_bits(read.values, one.values).all()


@pytest.mark.parametrize(
    ("key", "places", "values"),
    [
        ("model.norm.weight", [0], [1.0]),
        (QUERY, [16], [1.0]),
        (QUERY, [-1], [1.0]),
        (QUERY, [0, 1], [1.0]),
    ],
)
def test_corrections_that_fit_nothing(
    tmp_path: Path, key: str, places: list[int], values: list[float]
) -> None:
    write_corrections(tmp_path, {key: Correction(torch.tensor(places), torch.tensor(values).half())})
    with pytest.raises(BadWeights, match=f"{FILE} corrects"):
        read_corrections(tmp_path, lazies({QUERY: torch.zeros(4, 4)}, "delta"))

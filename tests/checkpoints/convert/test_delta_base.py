"""A base that is not the delta's own is told before anything is written."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deixis.checkpoints.convert.delta_base import check_base, small_sums
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.errors import BadWeights

State = dict[str, Tensor]
KEYS = ("model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "lm_head.weight")


def lazies(state: State, where: str) -> dict[str, LazyTensor]:
    return {key: held(tensor, where=where) for key, tensor in state.items()}


def model(seed: int, *, rows: int = 64) -> State:
    draw = torch.Generator().manual_seed(seed)
    return {key: (torch.randn(rows, 64, generator=draw) * 0.02).half() for key in KEYS}


def near(state: State, *, by: float, seed: int) -> State:
    """Return another fine-tuning of the same model."""
    draw = torch.Generator().manual_seed(seed)
    return {
        key: (tensor.float() + torch.randn(tensor.shape, generator=draw) * 0.02 * by).half()
        for key, tensor in state.items()
    }


def difference(target: State, base: State) -> State:
    """Return a delta as deltas were published: float16 subtractions, and another row at the end."""
    parts = {key: target[key] - base[key] for key in base}
    return {key: torch.cat([part, torch.ones(1, 64).half()]) for key, part in parts.items()}


@pytest.mark.parametrize("by", [0.001, 0.01, 0.05, 0.2])
def test_the_right_base_passes_however_far_the_target_is(by: float) -> None:
    base = model(0)
    check_base(lazies(base, "base"), lazies(difference(near(base, by=by, seed=1), base), "delta"))


@pytest.mark.parametrize("by", [0.01, 0.1])
def test_another_model_of_the_same_shapes_is_refused(by: float) -> None:
    base = model(0)
    delta = difference(near(base, by=by, seed=1), base)
    with pytest.raises(
        BadWeights, match=r"had to be rounded.*such as Vicuna v1.5 in place of v1.3; --any-base"
    ):
        check_base(lazies(model(7), "base"), lazies(delta, "delta"))


def test_even_a_near_relative_is_refused() -> None:
    base = model(0)
    delta = difference(near(base, by=0.02, seed=1), base)
    with pytest.raises(BadWeights, match="had to be rounded"):
        check_base(lazies(near(base, by=0.02, seed=2), "base"), lazies(delta, "delta"))


def test_no_sum_with_the_right_base_is_rounded() -> None:
    base = model(0)["lm_head.weight"]
    target = near({"a": base}, by=0.1, seed=3)["a"]
    rounded, counted = small_sums(base, target - base)
    assert rounded == 0 and counted > 1000


def test_a_whole_checkpoint_is_no_delta() -> None:
    base = model(0)
    target = {key: torch.cat([part, part[:1]]) for key, part in near(base, by=0.01, seed=1).items()}
    with pytest.raises(
        BadWeights, match=r"1\.00 times as large as the base's.*probably --delta is a whole checkpoint"
    ):
        check_base(lazies(base, "base"), lazies(target, "delta"))


def test_an_assembled_base_is_refused() -> None:
    base = model(0)
    delta = difference(near(base, by=0.01, seed=1), base)
    both = base | {"model.mm_projector.weight": torch.zeros(2, 3)}
    with pytest.raises(BadWeights, match=r"holds model.mm_projector.weight \[2, 3\] \(b.bin\).*exchanged"):
        check_base(lazies(both, "b.bin"), lazies(delta, "delta"))


def test_a_deeper_base_is_refused() -> None:
    base = model(0)
    delta = difference(near(base, by=0.01, seed=1), base)
    deeper = base | {"model.layers.32.self_attn.q_proj.weight": torch.zeros(4, 4)}
    with pytest.raises(BadWeights, match=r"model.layers.32.*\[4, 4\].*the delta doesn't.*a larger model"):
        check_base(lazies(deeper, "base"), lazies(delta, "delta"))


def test_a_delta_of_zeros_passes() -> None:
    base = model(0)
    check_base(
        lazies(base, "base"), lazies({key: torch.zeros_like(part) for key, part in base.items()}, "delta")
    )

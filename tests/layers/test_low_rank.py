"""Low-rank adapters: nothing changes at first, what is learnt stays when they are merged."""

from __future__ import annotations

import copy

import torch
from torch import nn

from deixis.layers.few_rows import quicken
from deixis.layers.low_rank import LowRankLinear, add_adapters, merge_adapters


class Twice(nn.Module):
    """A linear map that is used under two names, one without a bias, and something that is no linear map."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6, bias=False))
        self.head = nn.Linear(6, 3)
        self.table = nn.Embedding(4, 6)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.inner(self.table(ids)))


def adapted(seed: int = 0, **options: object) -> tuple[Twice, Twice, list[str]]:
    torch.manual_seed(0)
    plain = Twice()
    changed = copy.deepcopy(plain)
    given = {"parts": ("inner",), "rank": 2, "scale": 4.0} | options
    return plain, changed, add_adapters(changed, seed=seed, **given)  # type: ignore[arg-type]


def test_to_begin_with_nothing_changes() -> None:
    plain, changed, names = adapted()
    ids = torch.arange(4)
    assert names == ["inner.0", "inner.2"]
    assert torch.equal(plain(ids), changed(ids))
    assert set(plain.state_dict()) < set(changed.state_dict())


def test_what_was_learnt_stays_when_merged() -> None:
    plain, changed, _ = adapted(parts=("",))
    ids = torch.arange(4)
    learnt = [p for name, p in changed.named_parameters() if "lora_" in name]
    optimiser = torch.optim.SGD(learnt, lr=0.5)
    for _ in range(3):
        optimiser.zero_grad()
        changed(ids).square().sum().backward()
        optimiser.step()
    before = changed(ids)
    assert not torch.allclose(before, plain(ids), atol=1e-3)
    merge_adapters(changed)
    assert torch.allclose(changed(ids), before, atol=1e-5)
    assert set(changed.state_dict()) == set(plain.state_dict())
    assert not any(isinstance(module, LowRankLinear) for module in changed.modules())
    assert torch.equal(changed.head.bias, plain.head.bias)


def test_the_same_seed_draws_the_same_whatever_was_drawn_before() -> None:
    _, first, _ = adapted(seed=3)
    torch.rand(5)
    _, second, _ = adapted(seed=3)
    _, third, _ = adapted(seed=4)
    assert torch.equal(first.inner[0].lora_down, second.inner[0].lora_down)
    assert not torch.equal(first.inner[0].lora_down, third.inner[0].lora_down)


def test_parts_that_have_no_linear_map_get_none() -> None:
    assert adapted(parts=("table",))[2] == []


def test_layers_that_answered_before_get_adapters_too() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    quicken(network[0])
    assert add_adapters(network, parts=[""], rank=2, scale=4.0, seed=0) == ["0", "1"]

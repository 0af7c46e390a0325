"""The double of a device finds what an accelerator would complain of, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.device_double import DeviceDouble, DoubleTensor, Refused


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there + here,
        lambda there, here: here * there,
        lambda there, here: torch.cat([there, here]),
        lambda there, here: torch.stack([there.sum(), here.sum()]),
        lambda there, here: there[here.long()],
        lambda there, here: here[there.long()],
        lambda there, here: functional.linear(there, torch.eye(3)),
        lambda there, here: nn.Linear(3, 3)(there),
        lambda there, here: torch.where(there > 0, here, 0.0),
        lambda there, here: there.masked_fill(here > 0, 0.0),
        lambda there, here: there.__setitem__(slice(0, 2), here[:2]),
        lambda there, here: there.add_(here),
        lambda there, here: torch.ops.aten.add.Tensor(there, here),
    ],
)
def test_a_planted_mixing_is_found(mix: Callable[[torch.Tensor, torch.Tensor], object]) -> None:
    with DeviceDouble() as double:
        there, here = torch.tensor([0.0, 1.0, 2.0], device=double.device), torch.tensor([0.0, 1.0, 2.0])
        mix(there, here)
    assert double.mixed and "tests/test_device_double.py:" in double.mixed[0], double.mixed


@pytest.mark.parametrize(
    "read",
    [
        lambda there: there.numpy(),
        np.asarray,
        lambda there: there[0].numpy(),
        lambda there: there.detach().numpy(),
    ],
)
def test_a_planted_numpy_is_refused(read: Callable[[torch.Tensor], object]) -> None:
    with DeviceDouble() as double:
        there = torch.ones(3, device=double.device)
        with pytest.raises(Refused, match="numpy"):
            read(there)
        assert there.cpu().numpy().tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda device: torch.ones(3, device=device).double(),
        lambda device: torch.ones(3, device=device, dtype=torch.float64),
        lambda device: torch.ones(3, dtype=torch.float64).to(device),
        lambda device: torch.ones(3, device=device).to(torch.float64),
        lambda device: torch.from_numpy(np.ones(3)).to(device=device),
    ],
)
def test_a_planted_float64_is_refused(make: Callable[[torch.device], object]) -> None:
    with DeviceDouble() as double, pytest.raises(Refused, match="float64"):
        make(double.device)


def test_what_accelerators_allow_is_no_mixing() -> None:
    with DeviceDouble() as double:
        here = torch.arange(6.0).reshape(2, 3)
        there = here.to(double.device)
        assert (there * torch.tensor(2.0)).tolist() == (here * 2).tolist()
        assert there.sum().item() == 15 and bool((there[0, 1] == 1).any()) and int(there[1, 2]) == 5
        there[0] = 7
        there[:, torch.tensor([0], device=double.device)] = 1.0
        assert here[0].tolist() == [0, 1, 2], "what is moved is a copy"
        torch.empty(2, 3, device=double.device).copy_(here)
        here.copy_(there)
        assert there.max(dim=1).values.device == there.to(torch.bfloat16).device == double.device
        assert (
            here.to(there).device
            == torch.zeros_like(there).device
            == there.new_ones(2).device
            == double.device
        )
        back = [there.cpu(), there.to("cpu"), there.to(here), there.to(device="cpu", dtype=torch.float64)]
        assert not any(isinstance(one, DoubleTensor) for one in (*back, torch.zeros(3), here + 1))
    assert not double.mixed, double.mixed
    assert double.operations


def test_a_network_learns_there_as_here() -> None:
    """Moved, trained for some steps and moved back, a network is what it would be on the CPU."""

    def learnt(device: torch.device) -> list[float]:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 1))
        network.register_buffer("scale", torch.tensor([2.0]))
        network.to(device)
        assert all(p.device == device and isinstance(p, nn.Parameter) for p in network.parameters())
        optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
        given = torch.randn(4, 3).to(device)
        for _ in range(3):
            optimiser.zero_grad()
            (network(given) * network.get_buffer("scale")).square().sum().backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        return [value for p in network.parameters() for value in p.cpu().flatten().tolist()]

    with DeviceDouble() as double:
        there = learnt(double.device)
    assert not double.mixed, double.mixed
    assert there == pytest.approx(learnt(torch.device("cpu")), abs=1e-6)

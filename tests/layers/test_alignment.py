"""The alignment loss: the formula written out, its floor and chance, and what has no mean."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from deixis.errors import UsageError
from deixis.layers.alignment import align, chance_loss, lowest_loss, unit_mean


def test_it_is_the_formula_written_out() -> None:
    torch.manual_seed(0)
    project = nn.Linear(6, 4)
    pictures = [torch.randn(n, 6) for n in (3, 1, 5)]
    texts = [torch.randn(n, 4) for n in (2, 7, 1)]
    found = align(unit_mean([project(one) for one in pictures]), unit_mean(texts))
    total = 0.0
    for i, picture in enumerate(pictures):
        mean = project(picture).mean(dim=0).detach()
        products = [
            float(mean @ text.mean(dim=0) / (mean.norm() * text.mean(dim=0).norm())) for text in texts
        ]
        total -= math.log(math.exp(products[i]) / sum(map(math.exp, products)))
    assert float(found.total) == pytest.approx(total, rel=1e-5)
    assert float(found.mean) == pytest.approx(total / 3, rel=1e-5)
    found.mean.backward()
    assert project.weight.grad is not None and project.weight.grad.abs().sum() > 0


def test_floor_and_chance() -> None:
    opposite = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert float(align(opposite, opposite).mean) == pytest.approx(lowest_loss(2))
    alike = torch.tensor([[1.0, 0.0]] * 5)
    assert float(align(alike, alike).mean) == pytest.approx(chance_loss(5))
    assert lowest_loss(128) == pytest.approx(2.90, abs=0.01)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="without a single vector"):
        unit_mean([torch.zeros(2, 3), torch.zeros(0, 3)])
    with pytest.raises(UsageError, match="without a single vector"):
        unit_mean([])
    with pytest.raises(UsageError, match=r"\[2, 3\], of texts \[3, 3\]"):
        align(torch.zeros(2, 3), torch.zeros(3, 3))

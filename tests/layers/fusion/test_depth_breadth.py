"""Which features are joined and how, and what gates do to them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from deixis.errors import UsageError
from deixis.layers.fusion.depth_breadth import DepthBreadthFusion
from deixis.layers.fusion.gate import FeatureGate
from deixis.layers.fusion.integration import integrate

FEATURES = [torch.full((2, 3, 4), float(number)) for number in range(4)]  # one depth, three breadths


@pytest.mark.parametrize(
    ("integration", "fused", "shape", "first", "last"),
    [
        ("channel", "all", (2, 3, 16), 0.0, 3.0),
        ("channel", "breadth", (2, 3, 12), 1.0, 3.0),
        ("channel", "depth", (2, 3, 4), 0.0, 0.0),
        ("token", "all", (2, 12, 4), 0.0, 3.0),
        ("token", "breadth", (2, 9, 4), 1.0, 3.0),
        ("average", "all", (2, 3, 4), 1.5, 1.5),
        ("average", "breadth", (2, 3, 4), 2.0, 2.0),
    ],
)
def test_what_is_joined(integration: Any, fused: Any, shape: Any, first: float, last: float) -> None:
    fusion = DepthBreadthFusion(width=4, depths=1, breadths=3, integration=integration, fused=fused)
    made = fusion(FEATURES)
    assert made.shape == shape == (2, fusion.length(3), fusion.width)
    assert made.flatten()[0] == first and made.flatten()[-1] == last


@pytest.mark.parametrize("integration", ["channel", "token", "average"])
def test_weighed_later_it_is_the_same(integration: Any) -> None:
    fusion = DepthBreadthFusion(
        width=4, depths=1, breadths=3, integration=integration, gating="question", words=5
    )
    assert fusion.gate is not None
    torch.nn.init.normal_(fusion.gate.weight)
    words = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fusion.weighed(fusion.laid(FEATURES), words), fusion(FEATURES, words))


def test_gates_begin_at_one_and_learn() -> None:
    gate = FeatureGate(2, question=3)
    words = torch.ones(4, 3)
    assert gate.factors(words).tolist() == [1.0, 1.0]
    assert gate.factors(words[:0]).tolist() == [1.0, 1.0]
    gate.factors(words).sum().backward()
    assert gate.bias.grad is not None and gate.weight.grad is not None
    with pytest.raises(ValueError, match="give its words"):
        gate.factors()


def test_there_is_something_to_join() -> None:
    with pytest.raises(UsageError, match="no such features"):
        DepthBreadthFusion(width=4, depths=1, breadths=0, fused="breadth")
    with pytest.raises(UsageError, match="expected one of channel, token, average"):
        integrate(FEATURES, "sum")  # type: ignore[arg-type]

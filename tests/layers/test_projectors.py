"""Projectors by name: their weights' names are the published ones."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.projectors import build_projector


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("linear", ["weight", "bias"]),
        ("mlp1x_gelu", ["0.weight", "0.bias"]),
        ("mlp3x_gelu", [f"{n}.{part}" for n in (0, 2, 4) for part in ("weight", "bias")]),
    ],
)
def test_names_of_weights(kind: str, keys: list[str]) -> None:
    projector = build_projector(kind, inputs=3, outputs=5)
    assert list(projector.state_dict()) == keys
    assert projector(torch.ones(2, 3)).shape == (2, 5)


def test_two_maps_with_the_exact_gelu_between() -> None:
    projector = build_projector("mlp2x_gelu", inputs=3, outputs=5)
    x, state = torch.randn(4, 3), projector.state_dict()
    hidden = functional.gelu(x @ state["0.weight"].T + state["0.bias"])
    torch.testing.assert_close(projector(x), hidden @ state["2.weight"].T + state["2.bias"])


def test_identity_needs_equal_widths() -> None:
    x = torch.randn(2, 3)
    assert torch.equal(build_projector("identity", inputs=3, outputs=3)(x), x)
    with pytest.raises(UsageError, match="equal widths"):
        build_projector("identity", inputs=3, outputs=5)


@pytest.mark.parametrize("kind", ["mlp0x_gelu", "mlp2x", "resampler", ""])
def test_unknown_projectors(kind: str) -> None:
    with pytest.raises(UsageError, match="known: linear"):
        build_projector(kind, inputs=3, outputs=5)

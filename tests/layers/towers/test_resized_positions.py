"""Positions of a tower for another side: by a size, or by a factor as Groma's were."""

from __future__ import annotations

import torch

from deixis.layers.towers.dinov2 import Dinov2Tower
from deixis.layers.towers.feature_tower import resized_positions

DINOV2 = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "mlp_ratio": 1,
    "image_size": 70,
    "patch_size": 14,
}


def test_the_factor_is_a_little_larger_than_the_ratio() -> None:
    table = torch.randn(1 + 49, 4, generator=torch.Generator().manual_seed(0))
    by_factor = resized_positions(table, 5, interpolation="scale_factor")
    by_size = resized_positions(table, 5)
    assert by_factor.shape == by_size.shape == (26, 4)
    assert not torch.allclose(by_factor, by_size, atol=1e-3)
    torch.testing.assert_close(by_factor[0], table[0])
    assert resized_positions(table, (3, 5), interpolation="scale_factor").shape == (16, 4)
    assert resized_positions(table, 7, interpolation="scale_factor") is table


def test_a_tower_goes_by_size_unless_told() -> None:
    torch.manual_seed(0)
    plain = Dinov2Tower(DINOV2, select_layer=-1).eval()
    factor = Dinov2Tower(DINOV2, select_layer=-1, interpolation="scale_factor").eval()
    factor.load_state_dict(plain.state_dict())
    torch.nn.init.normal_(plain.vision.embeddings.position_embeddings)
    factor.load_state_dict(plain.state_dict())
    same, other = torch.randn(1, 3, 70, 70), torch.randn(1, 3, 56, 56)
    with torch.no_grad():
        torch.testing.assert_close(plain(same), factor(same))
        assert not torch.allclose(plain(other), factor(other), atol=1e-4)

"""How much boxes overlap, beside torchvision."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_iou, generalized_box_iou

from deixis.layers.places.box_overlap import generalised_iou, iou_of_pairs


def random_boxes(*shape: int, seed: int = 0) -> Tensor:
    """Return boxes (…, 4) of all sizes inside a square of 64 pixels."""
    chance = torch.Generator().manual_seed(seed)
    corners = torch.rand(*shape, 2, 2, generator=chance).sort(dim=-2).values * 63
    return torch.cat([corners[..., 0, :], corners[..., 1, :] + 0.5], dim=-1)


def test_generalised_iou_is_that_of_torchvision() -> None:
    first, second = random_boxes(500, seed=2), random_boxes(500, seed=3)
    expected = generalized_box_iou(first, second).diagonal()
    assert torch.allclose(generalised_iou(first, second), expected, atol=1e-5)
    assert torch.allclose(generalised_iou(first, first), torch.ones(500))
    nothing = torch.zeros(2, 4)
    assert torch.isfinite(generalised_iou(nothing, nothing)).all()


def test_iou_of_pairs_is_that_of_torchvision() -> None:
    first, second = random_boxes(2, 3, 5, seed=2), random_boxes(2, 3, 4, seed=3)
    found = iou_of_pairs(first, second)
    assert found.shape == (2, 3, 5, 4)
    for b in range(2):
        for p in range(3):
            torch.testing.assert_close(found[b, p], box_iou(first[b, p], second[b, p]))
    nothing = torch.zeros(1, 4)
    assert iou_of_pairs(nothing, nothing).item() == 0

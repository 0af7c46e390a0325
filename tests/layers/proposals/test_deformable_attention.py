"""Deformable attention: what the library computes, and how it begins."""

from __future__ import annotations

import torch
from transformers.models.deformable_detr.modeling_deformable_detr import MultiScaleDeformableAttention

from deixis.layers.proposals.deformable_attention import DeformableAttention, sample_levels

SHAPES = [(6, 4), (3, 2)]


def test_samples_are_those_of_transformers() -> None:
    random = torch.Generator().manual_seed(0)
    value = torch.randn(2, 30, 3, 5, generator=random)
    locations = torch.rand(2, 7, 3, 2, 4, 2, generator=random) * 1.6 - 0.3
    weights = torch.rand(2, 7, 3, 2, 4, generator=random)
    starts = torch.tensor([0, 24])
    golden = MultiScaleDeformableAttention()(
        value, torch.tensor(SHAPES), SHAPES, starts, locations, weights, 64
    )
    torch.testing.assert_close(sample_levels(value, SHAPES, locations, weights), golden)


def test_a_fresh_head_looks_in_a_direction_of_its_own() -> None:
    attention = DeformableAttention(8, heads=4, levels=1, points=2)
    query = torch.randn(1, 1, 8)
    reference = torch.tensor([[[[0.5, 0.5]]]])
    shares, locations = attention.looks(query, shapes=[(10, 10)], reference=reference)
    torch.testing.assert_close(shares, torch.full_like(shares, 0.5))
    moved = (locations[0, 0, :, 0] - 0.5) * 10  # cells
    expected = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    torch.testing.assert_close(moved[:, 0], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[:, 1], 2 * expected, atol=1e-5, rtol=0)


def test_boxes_bound_how_far_points_lie() -> None:
    attention = DeformableAttention(8, heads=4, levels=1, points=2)
    reference = torch.tensor([[[[0.5, 0.5, 0.2, 0.4]]]])
    _, locations = attention.looks(torch.zeros(1, 1, 8), shapes=[(10, 10)], reference=reference)
    far = (locations[0, 0, :, 0, 1] - 0.5).abs().amax(dim=0)
    torch.testing.assert_close(far, torch.tensor([0.1, 0.2]))  # its second point: half of the box's sides

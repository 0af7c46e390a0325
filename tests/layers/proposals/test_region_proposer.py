"""The region proposer: levels, too small pictures, and what its boxes mean."""

from __future__ import annotations

import pytest
import torch

from deixis.errors import UsageError
from deixis.layers.proposals.box_forms import corners, inverse_sigmoid, middles, overlaps
from deixis.layers.proposals.region_proposer import ProposerSize, RegionProposer

SMALL = {
    "width": 16,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_heads": 2,
    "decoder_heads": 2,
    "encoder_feed_forward": 16,
    "decoder_feed_forward": 16,
    "queries": 5,
    "box_hidden": 8,
}


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_any_number_of_levels_proposes(levels: int) -> None:
    torch.manual_seed(0)
    proposer = RegionProposer(12, ProposerSize(**SMALL, levels=levels)).eval()
    features = torch.randn(2, 12, 6, 6)
    found = proposer.detect(features)
    sides = [level(features).shape[-1] for level in proposer.input_proj]
    assert sides == [24, 12, 6, 3][4 - levels :] if levels > 1 else [6]
    assert found.boxes.shape == (2, 2, 5, 4)
    proposals = proposer(features)
    assert proposals.boxes.shape == (2, 5, 4) and proposals.scores().shape == (2, 5)
    assert bool((proposals.boxes >= 0).all()) and bool((proposals.boxes <= 1).all())


def test_levels_beyond_four_are_refused() -> None:
    with pytest.raises(UsageError, match="5 levels"):
        RegionProposer(12, ProposerSize(**SMALL, levels=5))


def test_too_few_cells_are_told() -> None:
    proposer = RegionProposer(12, ProposerSize(**SMALL))
    with pytest.raises(UsageError, match="4 cells in all, but it makes 5 proposals"):
        proposer(torch.zeros(1, 12, 2, 2))


def test_cells_at_the_edge_of_a_large_grid_count_for_nothing() -> None:
    torch.manual_seed(0)
    proposer = RegionProposer(4, ProposerSize(**SMALL))
    found = proposer.detect(torch.randn(1, 4, 52, 52))
    boxes = found.first.boxes.unflatten(1, (52, 52))
    assert bool((boxes[0, 0] == 1).all()) and bool((boxes[0, 1:-1, 1:-1] < 1).all())
    sum(head.sum() for head in found.logits.values()).backward()  # type: ignore[union-attr]


def test_a_layer_moves_the_box_of_the_layer_before() -> None:
    proposer = RegionProposer(4, ProposerSize(**SMALL))
    transformer = proposer.ddetr_transformer
    start = torch.tensor([[[0.3, 0.4, 0.2, 0.1]]])
    for number, head in enumerate(transformer.bbox_embed[:-1]):
        torch.nn.init.constant_(head.layers[-1].bias, 0.5 * (number + 1))
    boxes, references = transformer.boxes([torch.zeros(1, 1, 16)] * 2, start)
    first = inverse_sigmoid(start)
    torch.testing.assert_close(boxes[0], (first + 0.5).sigmoid())
    torch.testing.assert_close(boxes[1], (first + 0.5 + 1.0).sigmoid())
    torch.testing.assert_close(references[1], (first + 1.0).sigmoid())


def test_box_forms_and_overlaps() -> None:
    boxes = torch.tensor([[0.5, 0.5, 0.4, 0.2], [0.7, 0.5, 0.4, 0.2], [0.1, 0.1, 0.0, 0.0]])
    torch.testing.assert_close(middles(corners(boxes)), boxes)
    iou, giou = overlaps(corners(boxes)[:, None], corners(boxes)[None])
    assert iou[0, 1].item() == pytest.approx(1 / 3)
    assert giou[0, 2].item() < 0 and iou[2, 2].item() == 0
    assert bool(giou.isfinite().all())

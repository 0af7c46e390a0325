"""The region encoder: what is in a box, by both ways of taking its numbers."""

from __future__ import annotations

import pytest
import torch

from deixis.errors import UsageError
from deixis.layers.region_levels.region_encoder import LevelRegionEncoder, RegionEncoderSize

TRUE = RegionEncoderSize(
    rounds=1, groups=4, roi_side=4, hidden=8, position_hidden=4, box_scale=448, stride=56, stride_scale=1.0,
    box_format="xyxy",
)  # fmt: skip


def encoder(size: RegionEncoderSize) -> LevelRegionEncoder:
    torch.manual_seed(0)
    return LevelRegionEncoder(8, 6, size).eval()


def test_all_boxes_together_are_as_each_alone() -> None:
    own = encoder(TRUE)
    maps = own.fuse([torch.randn(2, 64, 8) for _ in range(3)])
    boxes = [torch.rand(3, 4) * 0.4 + 0.3, torch.rand(2, 4) * 0.4 + 0.3]
    together = own(maps, boxes)
    apart = [
        own([level[number : number + 1] for level in maps], [box[None]])
        for number, boxes_of_one in enumerate(boxes)
        for box in boxes_of_one
    ]
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=1e-4)


def test_no_boxes_have_no_vectors() -> None:
    own = encoder(TRUE)
    maps = own.fuse([torch.randn(1, 64, 8) for _ in range(3)])
    assert own(maps, [torch.zeros(0, 4)]).shape == (0, 6)


def test_corrected_boxes_sample_what_is_in_them() -> None:
    own = encoder(TRUE)
    column = torch.arange(8.0).repeat(8)  # each cell says its column
    maps = [torch.nn.functional.interpolate(column.view(1, 1, 8, 8).expand(1, 8, 8, 8), size=(8 * 2**n,) * 2)
            for n in (2, 1, 0)]  # fmt: skip
    box = torch.tensor([[0.75, 0.5, 0.25, 0.5]])  # columns 5 to 7
    for pooled in own.roi_align.pooled(maps, [box]):
        assert float(pooled.min()) >= 4.5 and float(pooled.max()) <= 6.5  # values at the edges


def test_published_boxes_lie_partly_outside() -> None:
    published = encoder(RegionEncoderSize(rounds=1, groups=4, roi_side=4, hidden=8, position_hidden=4))
    maps = [torch.ones(1, 8, 32 * 2**n, 32 * 2**n) for n in (2, 1, 0)]
    pooled = published.roi_align.pooled(maps, [torch.tensor([[0.75, 0.75, 0.2, 0.2]])])
    assert 0 < float((pooled[2] == 0).float().mean()) < 1


def test_an_unknown_box_format_is_refused() -> None:
    with pytest.raises(UsageError, match="roi_box_format is 'xywh'"):
        RegionEncoderSize(box_format="xywh")  # type: ignore[arg-type]


def test_a_mask_leaves_out_what_is_beside_it_and_a_full_one_is_its_box() -> None:
    own = encoder(TRUE)
    states = [torch.randn(1, 64, 8) for _ in range(3)]
    maps, boxes = own.fuse(states), [torch.tensor([[0.5, 0.5, 0.5, 0.5]])]
    left = torch.zeros(1, 4, 4)
    left[..., :2] = 1.0  # the left half of the box
    torch.testing.assert_close(own(maps, boxes, torch.ones(1, 4, 4)), own(maps, boxes))
    changed = []
    for level in maps:
        other = level.clone()
        # Right half of the box, far enough from the middle that no sample of the left half touches it.
        wide = level.shape[-1]
        other[..., round(0.6 * wide) : round(0.75 * wide)] += 5.0
        changed.append(other)
    assert not torch.allclose(own(changed, boxes), own(maps, boxes), atol=1e-3)
    torch.testing.assert_close(own(changed, boxes, left), own(maps, boxes, left))
    assert not torch.allclose(own(maps, boxes, left), own(maps, boxes), atol=1e-4)


def test_published_boxes_are_not_masked() -> None:
    own = encoder(RegionEncoderSize(rounds=1, groups=4, roi_side=4, hidden=8, position_hidden=4))
    maps = own.fuse([torch.randn(1, 64, 8) for _ in range(3)])
    with pytest.raises(UsageError, match="shares of a box need 'xyxy'"):
        own(maps, [torch.rand(1, 4)], torch.ones(1, 4, 4))

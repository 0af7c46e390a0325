"""Pictures squashed to one square, and boxes to and fro."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deixis.errors import FrameMismatch, UsageError
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box, Point
from deixis.systems.groma.preparation import GromaPreparation, original_boxes, unit_boxes

PICTURE = open_picture(np.random.default_rng(0).integers(0, 256, (30, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize("route", ["pillow", "opencv"])
def test_a_view_is_a_square_with_its_frame(route: str) -> None:
    preparation = GromaPreparation(56, route)  # type: ignore[arg-type]
    view, pixels = preparation.view(PICTURE)
    assert pixels.shape == (3, 56, 56)
    assert view.frame.root == PICTURE.frame
    assert Box(0, 0, 60, 30, frame=PICTURE.frame).to(view.frame).as_tuple() == pytest.approx((0, 0, 56, 56))
    assert preparation.stack([pixels, pixels]).shape == (2, 3, 56, 56)


def test_the_routes_differ_and_others_are_refused() -> None:
    one, other = (GromaPreparation(16, route).view(PICTURE)[1] for route in ("pillow", "opencv"))  # type: ignore[arg-type]
    assert (one - other).abs().max() > 0.1
    with pytest.raises(UsageError, match="pillow, opencv"):
        GromaPreparation(16, "cv2")  # type: ignore[arg-type]


def test_boxes_go_there_and_back() -> None:
    boxes = [Box(6, 3, 30, 30, frame=PICTURE.frame), Box(0, 0, 60, 30, frame=PICTURE.frame)]
    unit = unit_boxes(boxes, PICTURE)
    assert unit.tolist() == [pytest.approx([0.3, 0.55, 0.4, 0.9]), pytest.approx([0.5, 0.5, 1, 1])]
    for box, again in zip(boxes, original_boxes(unit, PICTURE.frame), strict=True):
        assert again.as_tuple() == pytest.approx(box.as_tuple(), abs=1e-4)


def test_what_sticks_out_is_cut_and_a_point_is_a_cell() -> None:
    (cut,) = unit_boxes([Box(-6, 0, 6, 15, frame=PICTURE.frame)], PICTURE).tolist()
    assert cut == pytest.approx([0.05, 0.25, 0.1, 0.5])
    (cell,) = unit_boxes([Point(30, 15, frame=PICTURE.frame)], PICTURE).tolist()
    assert cell == pytest.approx([0.5, 0.5, 1 / 32, 1 / 32])
    assert unit_boxes([], PICTURE).shape == (0, 4)


def test_a_region_of_another_picture_and_boxes_of_nothing_are_refused() -> None:
    other = open_picture(np.zeros((20, 20, 3), dtype=np.uint8))
    with pytest.raises(FrameMismatch):
        unit_boxes([Box(0, 0, 5, 5, frame=other.frame)], PICTURE)
    for wrong in ([0.5, 0.5, 0.0, 0.2], [0.5, 0.5, float("nan"), 0.2], [1.5, 0.5, 0.2, 0.2]):
        with pytest.raises(UsageError, match="box 1 is"):
            original_boxes(torch.tensor([[0.5, 0.5, 1.0, 1.0], wrong]), PICTURE.frame)

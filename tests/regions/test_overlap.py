"""One set of areas and overlaps: numbers and rows of arrays agree with the boxes of regions to the bit."""

from __future__ import annotations

import numpy as np

from deixis.regions.overlap import area, areas, iou, shared_area, shared_lengths
from deixis.regions.shapes import Box


def test_all_ways_agree_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    rows = np.sort(rng.uniform(0, 9, size=(60, 2, 2)), axis=1).reshape(60, 4)  # x0 y0 x1 y1
    boxes = [Box(*row) for row in rows.tolist()]
    assert areas(rows).tolist() == [area(row) for row in rows.tolist()] == [box.area for box in boxes]
    wide, high = (shared_lengths(rows[:, axis::2], rows[:, axis::2]) for axis in (0, 1))
    for i, first in enumerate(boxes):
        for j, second in enumerate(boxes):
            shared = shared_area(rows[i].tolist(), rows[j].tolist())
            assert shared == first.intersection(second) == wide[i, j] * high[i, j]
            union = (first.x1 - first.x0) * (first.y1 - first.y0)
            union = union + (second.x1 - second.x0) * (second.y1 - second.y0) - shared
            assert iou(rows[i].tolist(), rows[j].tolist()) == first.iou(second) == shared / union


def test_what_is_empty_or_the_wrong_way_round_shares_nothing() -> None:
    whole = (0.0, 0.0, 4.0, 2.0)
    for other in ((4.0, 2.0, 0.0, 0.0), (1.0, 1.0, 1.0, 2.0), (4.0, 0.0, 8.0, 2.0), (-4.0, -2.0, -8.0, -9.0)):
        assert shared_area(whole, other) == iou(whole, other) == iou(other, whole) == 0.0

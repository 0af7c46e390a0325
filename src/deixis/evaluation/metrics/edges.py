"""Boxes as answers spell them: four edges that need not have an area, or even be in order.

``regions.Box`` refuses such boxes; a score has to say what they are worth, which is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deixis.evaluation.metrics.rules import Overlap
from deixis.regions.overlap import Edges, iou


def found(boxes: Iterable[Edges], targets: Sequence[Edges], *, overlap: Overlap) -> bool:
    """Tell whether any of the boxes is the place of any of the targets."""
    return any(overlap.met(iou(box, target)) for box in boxes for target in targets)


def around(boxes: Sequence[Edges]) -> Edges:
    """Return the smallest box around all boxes.

    >>> around([(0, 0, 2, 2), (5, 1, 6, 4)])
    (0, 0, 6, 4)
    """
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def mean_box(boxes: Sequence[Edges]) -> Edges:
    """Return the box whose every edge is the mean of theirs.

    >>> mean_box([(0, 0, 2, 2), (2, 0, 4, 4)])
    (1.0, 0.0, 3.0, 3.0)
    """
    x0, y0, x1, y1 = (sum(edges) / len(boxes) for edges in zip(*boxes, strict=True))
    return x0, y0, x1, y1

"""Boxes as answers spell them: four edges that need not have an area, or even be in order.

``regions.Box`` refuses such boxes; a score has to say what they are worth, which is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deixis.evaluation.metrics.rules import Overlap

Edges = tuple[float, float, float, float]
"""x0, y0, x1, y1 with continuous edges, in pixels of the original picture."""


def iou(first: Edges, second: Edges) -> float:
    """Return intersection over union; 0 where nothing is shared, whatever the order of the edges.

    >>> iou((0, 0, 4, 2), (2, 0, 6, 2)), iou((0, 0, 0, 0), (0, 0, 0, 0))
    (0.3333333333333333, 0.0)
    """
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (area(first) + area(second) - shared)


def area(edges: Edges) -> float:
    """Return width times height."""
    return (edges[2] - edges[0]) * (edges[3] - edges[1])


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

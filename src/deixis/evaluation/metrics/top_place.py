"""Places against true boxes: the top place of an answer, and whether it hits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deixis.regions.frames import Frame
from deixis.regions.shapes import Box

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer, Place

LEAST_IOU = 0.5
FIXED_BOX = (
    0.15,
    0.10,
    0.85,
    1.0,
)  # of width and height; the best single box for phrases about people's photos


def top_place(answer: Answer) -> Box | None:
    """Return the box of the best-scored place; None if there is no place."""
    best = best_place(answer)
    return None if best is None else best.box


def best_place(answer: Answer) -> Place | None:
    """Return the best-scored place of all spans, the first of equals.

    None if the answer could not be parsed, says that nothing is there, or has no place.
    """
    if answer.parse_failures or answer.nowhere:
        return None
    best = [span.places[0] for span in answer.spans if span.places and not span.nowhere]
    return max(best, key=lambda place: place.score) if best else None


def hits(box: Box | None, truth: Sequence[Box]) -> bool:
    """Tell whether a box overlaps any of the true ones by IoU 0.5 or more; no box never does.

    >>> hits(Box(0, 0, 4, 4), [Box(9, 9, 12, 12), Box(0, 0, 4, 3)])
    True
    """
    return box is not None and any(box.iou(one) >= LEAST_IOU for one in truth)


def merged(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around all boxes, which are of one frame.

    >>> merged([Box(0, 0, 2, 2), Box(5, 1, 6, 4)]).as_tuple()
    (0.0, 0.0, 6.0, 4.0)
    """
    lows = (min(box.x0 for box in boxes), min(box.y0 for box in boxes))
    highs = (max(box.x1 for box in boxes), max(box.y1 for box in boxes))
    return Box(*lows, *highs, frame=boxes[0].frame)


def fixed_box(frame: Frame) -> Box:
    """Return the box that a blind answerer gives for everything in a picture.

    >>> fixed_box(Frame.original(100, 50)).as_tuple()
    (15.0, 5.0, 85.0, 50.0)
    """
    width, height = frame.size
    x0, y0, x1, y1 = FIXED_BOX
    return Box(x0 * width, y0 * height, x1 * width, y1 * height, frame=frame)

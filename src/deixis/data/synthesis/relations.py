"""How two things lie in a picture, in words: geometry of their boxes only, as the picture shows them."""

from __future__ import annotations

from deixis.regions.shapes import Box

WITHIN = 0.8  # of a box's area inside the other, from which it is within it
SMALLER = 0.6  # of the other's area, at most, for that
APART = 0.25  # of the mean side: how far centres must be apart to tell a direction
LARGER = 1.25  # times the other's area, to be called larger


def relation(first: Box, second: Box) -> str:
    """Return how ``first`` lies to ``second``, in one frame, as words between their names.

    >>> relation(Box(0, 0, 10, 10), Box(30, 2, 40, 12))
    'to the left of'
    """
    shared = first.intersection(second)
    if shared >= WITHIN * first.area and first.area <= SMALLER * second.area:
        return "within"
    if shared >= WITHIN * second.area and second.area <= SMALLER * first.area:
        return "around"
    (x0, y0, x1, y1), (u0, v0, u1, v1) = first.as_tuple(), second.as_tuple()
    across = ((x0 + x1) - (u0 + u1)) / max((x1 - x0) + (u1 - u0), 1e-6)
    down = ((y0 + y1) - (v0 + v1)) / max((y1 - y0) + (v1 - v0), 1e-6)
    if max(abs(across), abs(down)) < APART:
        return "at the same place as"
    if abs(across) >= abs(down):
        return "to the left of" if across < 0 else "to the right of"
    return "above" if down < 0 else "below"


def size(first: Box, second: Box) -> str:
    """Return which of two boxes is larger, as a sentence.

    >>> size(Box(0, 0, 10, 10), Box(0, 0, 10, 11))
    'both are of one size'
    """
    if first.area > LARGER * second.area:
        return "the first is larger"
    if second.area > LARGER * first.area:
        return "the second is larger"
    return "both are of one size"

"""From a mask of pixels to polygons around its parts, along the edges of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.painting.silhouette import XY

Corner = tuple[int, int]


def outlines_of(mask: NDArray[np.bool_]) -> tuple[tuple[XY, ...], ...]:
    """Return the outer outlines of a mask's parts, the largest first; holes are left out.

    >>> outlines_of(np.array([[0, 1, 1], [0, 1, 1]], dtype=bool))
    (((1.0, 0.0), (3.0, 0.0), (3.0, 2.0), (1.0, 2.0)),)
    """
    follows = boundary(mask)
    loops = []
    for start in sorted(follows):
        while start in follows:  # where two parts touch, a corner belongs to both
            loops.append(loop_from(start, follows))
    outer = [loop for loop in loops if signed_area(loop) > 0]
    outer.sort(key=signed_area, reverse=True)
    return tuple(tuple((float(x), float(y)) for x, y in turns(loop)) for loop in outer)


def loop_from(start: Corner, follows: dict[Corner, list[Corner]]) -> list[Corner]:
    """Return the corners from one back to itself; their edges are used up."""
    loop, at, came = [start], start, (0, 0)
    while True:
        at, came = step(follows, at, came)
        if at == start:
            return loop
        loop.append(at)


def boundary(mask: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Return edges of pixels between inside and outside, from corner to corner, the inside to the right."""
    around = np.pad(mask.astype(np.int8), 1)
    follows: dict[Corner, list[Corner]] = {}
    down = np.diff(around, axis=0)  # (H + 1, W + 2): 1 where the inside begins below
    for y, x in np.argwhere(down[:, 1:-1] == 1).tolist():
        follows.setdefault((x, y), []).append((x + 1, y))
    for y, x in np.argwhere(down[:, 1:-1] == -1).tolist():
        follows.setdefault((x + 1, y), []).append((x, y))
    right = np.diff(around, axis=1)  # (H + 2, W + 1): 1 where the inside begins to the right
    for y, x in np.argwhere(right[1:-1] == 1).tolist():
        follows.setdefault((x, y + 1), []).append((x, y))
    for y, x in np.argwhere(right[1:-1] == -1).tolist():
        follows.setdefault((x, y), []).append((x, y + 1))
    return follows


def step(follows: dict[Corner, list[Corner]], at: Corner, came: Corner) -> tuple[Corner, Corner]:
    """Take the edge that leaves a corner, turning right where two do; it is used up."""
    ways = follows[at]
    if len(ways) > 1:
        # Of two pixels that touch at a corner each keeps its own outline.
        turned = (at[0] - came[1], at[1] + came[0])
        chosen = ways.index(turned) if turned in ways else 0
    else:
        chosen = 0
    to = ways.pop(chosen)
    if not ways:
        del follows[at]
    return to, (to[0] - at[0], to[1] - at[1])


def signed_area(loop: list[Corner]) -> float:
    """Return twice the area inside a loop, negative for a hole."""
    return float(
        sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(loop, [*loop[1:], loop[0]], strict=True))
    )


def turns(loop: list[Corner]) -> list[Corner]:
    """Return the corners of a loop at which it turns."""
    return [
        at
        for before, at, after in zip([loop[-1], *loop[:-1]], loop, [*loop[1:], loop[0]], strict=True)
        if (at[0] - before[0], at[1] - before[1]) != (after[0] - at[0], after[1] - at[1])
    ]

"""The pixels that the programs of Ferret and Ferret-v2 mark for a point or a box of whole numbers.

A point is a square of 11 x 11 pixels, a box its pixels with the last column and row included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion, UsageError
from deixis.regions.pixels import RegionPixels

REACH = 5  # pixels from a point to the sides of its square


def point_square(x: float, y: float, *, width: int, height: int) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 (half-open) of the square around a point, in whole pixels inside the picture.

    >>> point_square(3.7, 50.2, width=100, height=90)
    (0, 45, 9, 56)
    """
    return (
        int(max(0, x - REACH)),
        int(max(0, y - REACH)),
        int(min(width, x + REACH + 1)),
        int(min(height, y + REACH + 1)),
    )


def box_with_last(box: Sequence[float], *, width: int, height: int) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 (half-open) of a box whose last column and row belong to it, inside the picture.

    >>> box_with_last([4, 3, 16, 11], width=20, height=15)
    (4, 3, 17, 12)
    """
    x0, y0, x1, y1 = (int(edge) for edge in box)
    return max(x0, 0), max(y0, 0), min(x1 + 1, width), min(y1 + 1, height)


def region_pixels(
    coordinates: Sequence[float],
    *,
    width: int,
    height: int,
    variant: Literal["train", "eval"] = "eval",
    box: Sequence[float] | None = None,
    segment: NDArray[np.bool_] | None = None,
) -> RegionPixels:
    """Return the pixels of a point (x, y) or box (x0, y0, x1, y1) in a picture of ``width`` x ``height``.

    coordinates, box: pixels of the original; a box includes its last column and row. box: that of the object
    at a point, for "train". segment (height, width): the object's pixels, or the free form drawn ("eval").
    variant: with "train" a point is cut by the object's segment, or else by its box, and a box that its
    segment misses stays whole; with "eval" a point is its whole square, and a box is cut by the free form.
    Raises BadRegion where nothing is left.
    """
    if variant not in ("train", "eval"):
        raise UsageError(f'variant is {variant!r}; expected "train" or "eval"')
    if len(coordinates) not in (2, 4):
        raise BadRegion(f"a region is x, y or x0, y0, x1, y1; got {len(coordinates)} numbers")
    if segment is not None and segment.shape != (height, width):
        raise BadRegion(
            f"the segment has shape {segment.shape}; expected (height, width) = {(height, width)}"
        )
    is_point = len(coordinates) == 2
    if is_point:
        x0, y0, x1, y1 = point_square(*coordinates, width=width, height=height)
    else:
        x0, y0, x1, y1 = box_with_last(coordinates, width=width, height=height)
    if is_point and variant == "train" and segment is None and box is not None:
        left, top, right, bottom = box_with_last(box, width=width, height=height)
        x0, y0, x1, y1 = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
    rectangle = RegionPixels.rectangle(x0, y0, x1, y1, width=width, height=height)
    cut = rectangle
    if segment is not None and (variant == "train" or not is_point):
        inside = np.zeros((height, width), dtype=bool)
        part = np.s_[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        inside[part] = segment[part]
        cut = RegionPixels.from_mask(inside)
    if not cut.count and variant == "train" and not is_point:
        cut = rectangle
    if not cut.count:
        raise BadRegion(
            f"no pixel is left of the region {list(coordinates)} in a picture of {width} x {height}; is it "
            "in pixels of the original, and does it meet the object's box or segment?"
        )
    return cut

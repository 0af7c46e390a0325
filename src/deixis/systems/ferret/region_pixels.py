"""What a region becomes for the Ferret family: coordinates as text, and the pixels its vector is made of.

A point is a square of 11 x 11 pixels, a box its pixels with the last column and row included, anything else
its own pixels with the box around them as text (ferret.md section 6, ferret_v2.md section 8). Boxes of other
tools end at an edge, x1 = 640 in a picture 640 wide; as in training, it is cut to a whole pixel inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deixis.answers.reading.dialects import REGION_TOKEN, Rounding, coordinate_text
from deixis.errors import FrameMismatch
from deixis.regions.marked_pixels import region_pixels
from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Box, Mask, Point, Region
from deixis.systems.spliced.dialect import Variant

SNAP = 1e-6  # pixels by which a coordinate may miss a whole number after a change of frames


@dataclass(frozen=True)
class PointedRegion:
    """A region as a prompt has it: coordinates such as "[120, 300]", and its pixels in the original."""

    coordinates: str
    pixels: RegionPixels

    @property
    def text(self) -> str:
        """The coordinates with the region token behind them."""
        return f"{self.coordinates} {REGION_TOKEN}"


def pointed(
    region: Region,
    *,
    variant: Variant = "eval",
    segment: Mask | Box | None = None,
    rounding: Rounding = "published",
) -> PointedRegion:
    """Return a region of an original picture as text and pixels.

    segment: the pixels of the object at a point or in a box, for training, or only the object's box.
    Scribbles, polygons and masks are their own. FrameMismatch for a region of another frame: carry it over
    with ``clipped(picture.frame)``.

    >>> from deixis.regions import Frame
    >>> pointed(Box(10, 20, 300, 400).bind(Frame.original(640, 480))).text
    '[15, 41, 468, 833] <region_fea>'
    """
    frame = region.frame
    if frame.parent is not None or not frame.bound or (segment is not None and segment.frame != frame):
        given = frame if segment is None else f"{frame} (its segment in {segment.frame})"
        raise FrameMismatch(
            f"a region is written in pixels of the original picture, but this one is in frame {given}; carry "
            "it over: region.clipped(picture.frame)"
        )
    width, height = (round(side) for side in frame.size)
    form = segment.rasterise() if isinstance(segment, Mask) else None
    box = None
    if isinstance(segment, Box):
        box = whole_pixels(segment.as_tuple(), width=width, height=height)
    if isinstance(region, Point):
        coordinates = whole_pixels([region.x, region.y], width=width, height=height)
    elif isinstance(region, Box):
        coordinates = whole_pixels(region.as_tuple(), width=width, height=height)
    else:
        form = region.rasterise()
        coordinates = around(form)
        if not coordinates:
            # So thin that it holds no pixel's centre: the pixels that it touches.
            form, coordinates = None, whole_pixels(region.bounds().as_tuple(), width=width, height=height)
    text = coordinate_text(coordinates, width=width, height=height, rounding=rounding)
    pixels = region_pixels(coordinates, width=width, height=height, variant=variant, box=box, segment=form)
    return PointedRegion(text, pixels)


def whole_pixels(values: Sequence[float], *, width: int, height: int) -> list[int]:
    """Return x and y in turn as whole pixels, cut off and moved into the picture.

    >>> whole_pixels([9.9, 3, 640, 299.9999999], width=640, height=480)
    [9, 3, 639, 300]
    """
    sides = [width, height] * (len(values) // 2)
    return [min(max(int(value + SNAP), 0), side - 1) for value, side in zip(values, sides, strict=True)]


def around(form: NDArray[np.bool_]) -> list[int]:
    """Return first column, first row, last column and last row of pixels (H, W); nothing if there are none.

    >>> around(np.eye(5, dtype=bool)[:3])
    [0, 0, 2, 2]
    """
    columns, rows = np.flatnonzero(form.any(axis=0)), np.flatnonzero(form.any(axis=1))
    return [int(edge) for ends in (0, -1) for edge in (columns[ends], rows[ends])] if columns.size else []

"""What is painted on the second picture that a teacher sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.painting.clean import Mark, paint_clean
from deixis.painting.colours import DISTINCT, named
from deixis.painting.kinds import Kind
from deixis.painting.labels import lay_labels
from deixis.painting.sign import Sign
from deixis.regions.shapes import Mask, Region


def in_red(pixels: NDArray[np.uint8], regions: Sequence[Region]) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with a mask filled in red, or a red box where only that is known."""
    (region,) = regions
    kind: Kind = "mask" if isinstance(region, Mask) else "rectangle"
    return paint_clean(pixels, [Mark(region, Sign(kind, named("red")))])


def in_red_and_blue(pixels: NDArray[np.uint8], regions: Sequence[Region]) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with a box in red and one in blue."""
    colours = (named("red"), named("blue"))
    return paint_clean(
        pixels,
        [
            Mark(region.bounds(), Sign("rectangle", colour))
            for region, colour in zip(regions, colours, strict=True)
        ],
    )


def numbered(pixels: NDArray[np.uint8], regions: Sequence[Region]) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with boxes and their numbers, from 1."""
    boxes = [region.bounds() for region in regions]
    colours = [named(DISTINCT[place % len(DISTINCT)]) for place in range(len(boxes))]
    marks = [Mark(box, Sign("rectangle", colour)) for box, colour in zip(boxes, colours, strict=True)]
    return lay_labels(
        paint_clean(pixels, marks),
        [box.as_tuple() for box in boxes],
        [str(place) for place in range(1, len(boxes) + 1)],
        [colour.rgb for colour in colours],
    )

"""What is painted on the second picture that a teacher sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deixis.painting.clean import Mark, paint_clean
from deixis.painting.colours import DISTINCT, named
from deixis.painting.kinds import Kind
from deixis.painting.labels import SMALLEST_TEXT, lay_labels
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


def numbered_centres(pixels: NDArray[np.uint8], regions: Sequence[Region]) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with a number in the middle of each region, from 1.

    Middles that all but coincide are pushed apart, so that every number can be read.
    """
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    size = max(SMALLEST_TEXT, round(0.025 * max(width, height)))
    font, radius = ImageFont.load_default(size), size
    laid: list[tuple[float, float]] = []
    for place, region in enumerate(regions):
        box = region.bounds()
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        while any(abs(x - other) < 2 * radius and abs(y - above) < 2 * radius for other, above in laid):
            y += 2 * radius
            if y > height:
                x, y = x + 2 * radius, radius
        laid.append((x, y))
        # A number has to be seen whole, even of a region in a corner.
        x = min(max(x, radius), max(width - radius, radius))
        y = min(max(y, radius), max(height - radius, radius))
        rgb = named(DISTINCT[place % len(DISTINCT)]).rgb
        dark = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 140
        ink = (255, 255, 255) if dark else (0, 0, 0)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=rgb, outline=ink)
        draw.text((x, y), str(place + 1), font=font, fill=ink, anchor="mm")
    return np.asarray(image)


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

"""Strokes of a mark, laid over a picture: only the part that they touch is blended.

A stroke writes its colour with its alpha on a clear layer, the layer is laid over the picture. Strokes of one
mark don't darken each other; a later mark lies over an earlier one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

RGBA = tuple[int, int, int, int]
XY = tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """One call of Pillow's drawing routines.

    form: "line" passes through the points, "polygon" closes them, "rectangle" and "ellipse" have two opposite
    corners. fill, outline: colours with alpha, None for none. spread: a polygon's outline is drawn again at
    every whole shift of up to so many pixels.
    """

    form: Literal["line", "polygon", "rectangle", "ellipse"]
    points: tuple[XY, ...]
    fill: RGBA | None = None
    outline: RGBA | None = None
    width: int = 1
    joint: Literal["curve"] | None = None
    spread: int = 0

    @property
    def reach(self) -> int:
        """How far from its points a stroke can write, in pixels."""
        return self.width + self.spread + 2


def lay_over(picture: Image.Image, strokes: Sequence[Stroke]) -> None:
    """Blend the strokes of one mark into an RGB picture, in place."""
    area = touched(picture.size, strokes)
    if area is None:
        return
    layer = layer_of(strokes, area)
    below = picture.crop(area).convert("RGBA")
    picture.paste(Image.alpha_composite(below, layer).convert("RGB"), area[:2])


def layer_of(strokes: Sequence[Stroke], area: tuple[int, int, int, int]) -> Image.Image:
    """Return the RGBA layer of strokes over an area (left, top, right, bottom) of the picture."""
    layer = Image.new("RGBA", (area[2] - area[0], area[3] - area[1]), (0, 0, 0, 0))
    for (spread, outline), alike in groupby(strokes, key=lambda stroke: (stroke.spread, stroke.outline)):
        if spread:
            outlines = [pairs(places(stroke.points, corner=area[:2])) for stroke in alike]
            write_spread(layer, outlines, outline=outline, spread=spread)
            continue
        for stroke in alike:
            write(layer, stroke, corner=area[:2])
    return layer


def touched(size: tuple[int, int], strokes: Iterable[Stroke]) -> tuple[int, int, int, int] | None:
    """Return the area that strokes can write to, None where it lies outside of the picture.

    Pillow cuts coordinates towards zero; an area that begins at a whole number not left of 0 changes nothing.
    """
    strokes = list(strokes)
    if not strokes:
        return None
    points, reach = places([point for stroke in strokes for point in stroke.points]), most(strokes)
    left, top = (max(math.floor(edge - reach), 0) for edge in points.min(axis=0).tolist())
    high = (math.ceil(edge + reach) + 1 for edge in points.max(axis=0).tolist())
    right, bottom = (min(edge, side) for edge, side in zip(high, size, strict=True))
    return (left, top, right, bottom) if left < right and top < bottom else None


def most(strokes: Iterable[Stroke]) -> int:
    """Return the farthest reach of any stroke."""
    return max(stroke.reach for stroke in strokes)


def places(points: Sequence[XY], *, corner: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """Return points as an array (n, 2), counted from a corner."""
    found = np.fromiter(chain.from_iterable(points), np.float64, 2 * len(points)).reshape(-1, 2)
    return found - corner


def pairs(points: NDArray[np.float64]) -> list[XY]:
    """Return points (n, 2) as Pillow takes them."""
    return [(x, y) for x, y in points.tolist()]


def write(layer: Image.Image, stroke: Stroke, *, corner: tuple[int, int] = (0, 0)) -> None:
    """Write a stroke on a layer; what lies outside is cut. corner: where in the picture the layer begins."""
    draw = ImageDraw.Draw(layer)
    found = places(stroke.points, corner=corner)
    if stroke.form == "line" and stroke.joint is None:  # a curve of thousands of points: no tuple for each
        draw.line(found.ravel().tolist(), fill=stroke.fill, width=stroke.width)
        return
    points = pairs(found)
    if stroke.form == "line":
        draw.line(points, fill=stroke.fill, width=stroke.width, joint=stroke.joint)
    elif stroke.form == "rectangle":
        draw.rectangle(points, fill=stroke.fill, outline=stroke.outline, width=stroke.width)
    elif stroke.form == "ellipse":
        draw.ellipse(points, fill=stroke.fill, outline=stroke.outline, width=stroke.width)
    elif stroke.spread:
        write_spread(layer, [points], outline=stroke.outline, spread=stroke.spread)
    else:
        draw.polygon(points, fill=stroke.fill, outline=stroke.outline)


def write_spread(
    layer: Image.Image, polygons: Sequence[Sequence[XY]], *, outline: RGBA | None, spread: int
) -> None:
    """Write the outlines of polygons at every shift of up to ``spread`` pixels."""
    assert outline is not None
    # All shifts of thin lines are the lines widened by a square. Shifts from outside the layer reach into it.
    thin = Image.new("L", (layer.width + 2 * spread, layer.height + 2 * spread), 0)
    line, draw = ImageDraw.Draw(thin), ImageDraw.Draw(layer)
    for points in polygons:
        if shifts_alike(points, spread):
            line.polygon([(x + spread, y + spread) for x, y in points], outline=255)
            continue
        for right in range(-spread, spread + 1):
            for down in range(-spread, spread + 1):
                draw.polygon([(x + right, y + down) for x, y in points], outline=outline)
    widened = thin.filter(ImageFilter.MaxFilter(2 * spread + 1))
    layer.paste(outline, (0, 0), widened.crop((spread, spread, spread + layer.width, spread + layer.height)))


def shifts_alike(points: Sequence[XY], spread: int) -> bool:
    """Tell whether Pillow cuts points to the same pixels of their own at every shift.

    It cuts towards zero, which is to the right of a number below 0; whole numbers stay.
    """
    return all(value >= spread or value == int(value) for point in points for value in point)

"""Strokes of a mark, laid over a picture: only the part that they touch is blended.

A stroke writes its colour with its alpha on a clear layer, the layer is laid over the picture. Strokes of one
mark don't darken each other; a later mark lies over an earlier one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

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
    for stroke in strokes:
        write(layer, moved(stroke, -area[0], -area[1]))
    return layer


def touched(size: tuple[int, int], strokes: Iterable[Stroke]) -> tuple[int, int, int, int] | None:
    """Return the area that strokes can write to, None where it lies outside of the picture.

    Pillow cuts coordinates towards zero; an area that begins at a whole number not left of 0 changes nothing.
    """
    strokes = list(strokes)
    if not strokes:
        return None
    low = [math.floor(min(p[axis] for s in strokes for p in s.points) - most(strokes)) for axis in (0, 1)]
    high = [math.ceil(max(p[axis] for s in strokes for p in s.points) + most(strokes)) + 1 for axis in (0, 1)]
    left, top = (max(edge, 0) for edge in low)
    right, bottom = (min(edge, side) for edge, side in zip(high, size, strict=True))
    return (left, top, right, bottom) if left < right and top < bottom else None


def most(strokes: Iterable[Stroke]) -> int:
    """Return the farthest reach of any stroke."""
    return max(stroke.reach for stroke in strokes)


def moved(stroke: Stroke, x: float, y: float) -> Stroke:
    """Return a stroke shifted by x and y pixels."""
    points = tuple((px + x, py + y) for px, py in stroke.points)
    return Stroke(stroke.form, points, stroke.fill, stroke.outline, stroke.width, stroke.joint, stroke.spread)


def write(layer: Image.Image, stroke: Stroke) -> None:
    """Write a stroke on a layer; what lies outside is cut."""
    draw = ImageDraw.Draw(layer)
    points = list(stroke.points)
    if stroke.form == "line":
        draw.line(points, fill=stroke.fill, width=stroke.width, joint=stroke.joint)
    elif stroke.form == "rectangle":
        draw.rectangle(points, fill=stroke.fill, outline=stroke.outline, width=stroke.width)
    elif stroke.form == "ellipse":
        draw.ellipse(points, fill=stroke.fill, outline=stroke.outline, width=stroke.width)
    elif stroke.spread:
        write_spread(layer, stroke)
    else:
        draw.polygon(points, fill=stroke.fill, outline=stroke.outline)


def write_spread(layer: Image.Image, stroke: Stroke) -> None:
    """Write a polygon's outline at every shift of up to ``spread`` pixels."""
    spread, outline = stroke.spread, stroke.outline
    assert outline is not None
    low = min(min(x, y) for x, y in stroke.points)
    if low < spread:
        # Towards zero is to the right of it: below 0 every shift is cut in its own way.
        draw = ImageDraw.Draw(layer)
        for right in range(-spread, spread + 1):
            for down in range(-spread, spread + 1):
                draw.polygon([(x + right, y + down) for x, y in stroke.points], outline=outline)
        return
    # All shifts of a thin line are the line widened by a square. Shifts from outside the layer reach into it.
    wide, high = layer.width + 2 * spread, layer.height + 2 * spread
    thin = Image.new("L", (wide, high), 0)
    ImageDraw.Draw(thin).polygon([(x + spread, y + spread) for x, y in stroke.points], outline=255)
    widened = thin.filter(ImageFilter.MaxFilter(2 * spread + 1))
    layer.paste(outline, (0, 0), widened.crop((spread, spread, spread + layer.width, spread + layer.height)))

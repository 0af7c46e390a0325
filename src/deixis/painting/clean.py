"""Marks for people: antialiased, in proportion to the picture, inside it, never lost on what is under them.

A mark has a thin rim of black or white, whichever its colour is farther from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from deixis.painting.colours import RGB
from deixis.painting.kinds import Kind
from deixis.painting.shapes import Form, Space, form_of, reach_of
from deixis.painting.sign import Sign
from deixis.painting.silhouette import XY, Edges
from deixis.regions.shapes import Region

FINEST = 4  # subpixels a side where a mark is small
MOST_SUBPIXELS = 4_000_000
INSIDE_ALPHA = 0.45  # of a filled mask
LINE_ALPHA = 0.95


@dataclass(frozen=True)
class Mark:
    """A region in pixels of the picture, and its sign."""

    region: Region
    sign: Sign


def line_width(width: int, height: int) -> float:
    """Return how wide lines are on a picture of this size, in pixels.

    >>> line_width(640, 480), round(line_width(4000, 3000))
    (3.84, 24)
    """
    return max(0.006 * max(width, height), 1.5)


def paint_clean(pixels: NDArray[np.uint8], marks: Sequence[Mark]) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with marks painted on them, each over those before it."""
    painted = np.array(pixels)
    line = line_width(painted.shape[1], painted.shape[0])
    for mark, form in zip(marks, forms_of(marks, size=painted.shape[1::-1]), strict=True):
        lay_form(painted, form, kind=mark.sign.kind, rgb=mark.sign.colour.rgb, line=line)
    return painted


def forms_of(marks: Sequence[Mark], *, size: tuple[int, ...]) -> list[Form]:
    """Return what is drawn for each mark on a picture of this size (width, height)."""
    width, height = size
    space = Space(width, height, line_width(width, height))
    boxes = [mark.region.bounds().as_tuple() for mark in marks]
    return [
        form_of(mark.sign.kind, mark.region, space, others=(*boxes[:number], *boxes[number + 1 :]))
        for number, mark in enumerate(marks)
    ]


def extents(marks: Sequence[Mark], *, size: tuple[int, ...]) -> list[Edges]:
    """Return the box around what is drawn for each mark, for labels to lie beside."""
    return [
        mark.region.bounds().as_tuple() if form.pixels is not None else reach_of(form)
        for mark, form in zip(marks, forms_of(marks, size=size), strict=True)
    ]


def lay_form(
    painted: NDArray[np.uint8], form: Form, *, kind: Kind, rgb: RGB, line: float, alpha: float | None = None
) -> None:
    """Blend a form into pixels (H, W, 3), in place."""
    rim = max(line * 0.4, 0.6)
    area = area_of(form, painted.shape[1], painted.shape[0], reach=line / 2 + rim + 2)
    if area is None:
        return
    ink, around = coverage(form, area, kind=kind, line=line, rim=rim)
    x0, y0, x1, y1 = area
    part = painted[y0:y1, x0:x1].astype(np.float32)
    if alpha is None:
        alpha = INSIDE_ALPHA if kind == "mask" else LINE_ALPHA
    edge = 0.0 if 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] > 110 else 255.0
    if kind != "mask":
        cover = (around * (0.75 * alpha))[..., None]
        part += (edge - part) * cover
    part += (np.asarray(rgb, dtype=np.float32) - part) * (ink * alpha)[..., None]
    painted[y0:y1, x0:x1] = np.rint(part).astype(np.uint8)


def area_of(form: Form, width: int, height: int, *, reach: float) -> tuple[int, int, int, int] | None:
    """Return the part of the picture that a form touches, None for none."""
    if form.pixels is not None:
        rows, columns = np.nonzero(form.pixels.any(axis=1))[0], np.nonzero(form.pixels.any(axis=0))[0]
        if not len(rows):
            return None
        edges: Edges = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    else:
        edges = reach_of(form)
    x0, y0 = (max(math.floor(edge - reach), 0) for edge in edges[:2])
    x1, y1 = min(math.ceil(edges[2] + reach), width), min(math.ceil(edges[3] + reach), height)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def coverage(
    form: Form, area: tuple[int, int, int, int], *, kind: Kind, line: float, rim: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how much of each pixel of an area the mark covers, and the rim around it (0..1)."""
    if form.pixels is not None:
        return pixel_coverage(form.pixels, area, kind=kind, line=line, rim=rim)
    x0, y0, x1, y1 = area
    finer = max(min(FINEST, int((MOST_SUBPIXELS / ((x1 - x0) * (y1 - y0))) ** 0.5)), 1)
    drawn = []
    for more in (0.0, 2 * rim):
        layer = Image.new("L", ((x1 - x0) * finer, (y1 - y0) * finer), 0)
        draw_form(layer, form, kind=kind, line=line + more, rim=more / 2, shift=(x0, y0), finer=finer)
        drawn.append(layer.resize((x1 - x0, y1 - y0), Image.Resampling.BOX))
    return share(drawn[0]), share(drawn[1])


def draw_form(
    layer: Image.Image, form: Form, *, kind: Kind, line: float, rim: float, shift: XY, finer: int
) -> None:
    """Draw a form on a layer of subpixels; rim: how much wider filled outlines are."""
    draw = ImageDraw.Draw(layer)
    width = max(round(line * finer), 1)

    def moved(points: Sequence[XY]) -> list[XY]:
        return [((x - shift[0]) * finer, (y - shift[1]) * finer) for x, y in points]

    fills = () if kind == "mask contour" else form.filled
    for points in fills:
        draw.polygon(moved(points), fill=255)
        if rim:
            around = moved((*points, points[0]))
            draw.line(around, fill=255, width=max(round(2 * rim * finer), 1), joint="curve")
    for points in () if kind == "mask" else form.lines:
        at = moved(points)
        draw.line(at, fill=255, width=width, joint="curve")
        for x, y in (at[0], at[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)


def pixel_coverage(
    pixels: NDArray[np.bool_], area: tuple[int, int, int, int], *, kind: Kind, line: float, rim: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same for a mask of pixels: its inside, or a band along its edge."""
    x0, y0, x1, y1 = area
    inside = Image.fromarray(pixels[y0:y1, x0:x1].astype(np.uint8) * 255)
    if kind == "mask":
        return share(inside), share(inside)
    ink, both = (band(inside, reach=max(reach, 1.0)) for reach in (line / 2, line / 2 + rim))
    return share(ink), share(both)


def share(layer: Image.Image) -> NDArray[np.float32]:
    """Return a layer's values as shares (0..1)."""
    return np.asarray(layer, dtype=np.float32) / np.float32(255)


def band(inside: Image.Image, *, reach: float) -> Image.Image:
    """Return a band of so many pixels to both sides of a mask's edge, soft at its own edges."""
    wide = 2 * max(round(reach), 1) + 1
    grown, shrunk = inside.filter(ImageFilter.MaxFilter(wide)), inside.filter(ImageFilter.MinFilter(wide))
    edge = Image.fromarray(np.asarray(grown) - np.asarray(shrunk))
    return edge.filter(ImageFilter.GaussianBlur(0.6))

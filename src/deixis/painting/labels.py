"""Numbered labels beside painted regions, where they cover as little as possible of what they name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deixis.painting.colours import RGB
from deixis.painting.silhouette import Edges

SMALLEST_TEXT = 11  # pixels


def lay_labels(
    pixels: NDArray[np.uint8], boxes: Sequence[Edges], texts: Sequence[str], colours: Sequence[RGB]
) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3) with a label for each box, none over another."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    size = max(SMALLEST_TEXT, round(0.022 * max(width, height)))
    font = ImageFont.load_default(size)
    laid: list[Edges] = []
    for number, (text, rgb) in enumerate(zip(texts, colours, strict=True)):
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        pad = max(size // 4, 2)
        wide, high = right - left + 2 * pad, bottom - top + 2 * pad
        place = room_for((wide, high), boxes, number, laid, (width, height), gap=pad)
        laid.append(place)
        dark = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 140
        draw.rounded_rectangle(place, radius=pad, fill=rgb, outline=(255, 255, 255) if dark else (0, 0, 0))
        ink = (255, 255, 255) if dark else (0, 0, 0)
        draw.text((place[0] + pad - left, place[1] + pad - top), text, font=font, fill=ink)
    return np.asarray(image)


def room_for(
    label: tuple[float, float],
    boxes: Sequence[Edges],
    number: int,
    laid: Sequence[Edges],
    size: tuple[int, int],
    *,
    gap: float,
) -> Edges:
    """Return where a label lies: beside its box, inside the picture, on as little of the rest as possible."""
    (wide, high), (x0, y0, x1, y1) = label, boxes[number]
    middle_x, middle_y = (x0 + x1 - wide) / 2, (y0 + y1 - high) / 2
    beside = [
        (x0, y0 - high - gap),
        (x1 - wide, y0 - high - gap),
        (x0, y1 + gap),
        (x1 - wide, y1 + gap),
        (x0 - wide - gap, y0),
        (x1 + gap, y0),
        (x0 - wide - gap, middle_y),
        (x1 + gap, middle_y),
        (middle_x, y0 - high - gap),
        (middle_x, y1 + gap),
    ]
    places = [inside((x, y, x + wide, y + high), size) for x, y in beside]
    places += [inside((x, y, x + wide, y + high), size) for x, y in ((x0 + gap, y0 + gap), (0, 0), size)]

    def cost(place: Edges) -> tuple[float, float]:
        own = shared(place, boxes[number])
        others = sum(shared(place, box) for index, box in enumerate(boxes) if index != number)
        return 10 * sum(shared(place, one) for one in laid) + 4 * own + others, places.index(place)

    return min(places, key=cost)


def inside(place: Edges, size: tuple[int, int]) -> Edges:
    """Return a place moved into the picture."""
    wide, high = place[2] - place[0], place[3] - place[1]
    x, y = max(min(place[0], size[0] - wide - 1), 0), max(min(place[1], size[1] - high - 1), 0)
    return x, y, x + wide, y + high


def shared(first: Edges, second: Edges) -> float:
    """Return the area that two boxes share."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(wide, 0.0) * max(high, 0.0)

"""Drawing a sample: the regions with their names, and phrases at the places that the answers give them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deixis.records.record import Record
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

COLOURS = (
    (230, 60, 60), (40, 120, 230), (30, 160, 80), (240, 150, 20), (150, 70, 190), (20, 160, 170),
)  # fmt: skip
SMALLEST_SIDE = 480  # a smaller picture is enlarged, so that names can be read


def draw_record(record: Record) -> Image.Image:
    """The sample's picture with its regions drawn on it; an answer's place is filled and has its phrase."""
    picture = record.open()
    regions = record.bound_regions(picture.frame)
    scale = max(1, -(-SMALLEST_SIDE // max(picture.width, picture.height)))
    canvas = picture.image().resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    frame = picture.frame.resized(*canvas.size)
    phrases = phrases_by_region(record)
    labels = []
    for number, (name, region) in enumerate(regions.items()):
        colour = COLOURS[number % len(COLOURS)]
        enlarged = region.to(frame)
        if name in phrases:
            canvas = filled(canvas, enlarged, colour)
        width = max(2, max(canvas.size) // 300)
        draw_outline(ImageDraw.Draw(canvas), enlarged, colour, width=width)
        bounds = enlarged.bounds()
        if isinstance(enlarged, Point):  # its name stands above the ring
            bounds = Box(bounds.x0, bounds.y0 - 4 * width, bounds.x1, bounds.y1, frame=frame)
        labels.append((": ".join([name, *phrases.get(name, [])[:1]]), bounds, colour))
    # Names come last: no later region may cover them.
    for text, bounds, colour in labels:
        draw_label(canvas, text, bounds, colour)
    return canvas


def phrases_by_region(record: Record) -> dict[str, list[str]]:
    """The phrases whose place is each region, in order."""
    found: dict[str, list[str]] = {}
    for turn in record.turns:
        for phrase in turn.phrases:
            for name in phrase.regions:
                found.setdefault(name, []).append(turn.answer[phrase.start : phrase.end])
    return found


def filled(canvas: Image.Image, region: Region, colour: tuple[int, int, int]) -> Image.Image:
    """The canvas with a quarter of ``colour`` over the region's pixels."""
    pixels, covered = np.array(canvas), region.rasterise()
    pixels[covered] = (pixels[covered] * 0.75 + np.array(colour) * 0.25).astype(np.uint8)
    return Image.fromarray(pixels)


def draw_outline(
    pen: ImageDraw.ImageDraw, region: Region, colour: tuple[int, int, int], *, width: int
) -> None:
    """Draw the outline of a region; of a point a ring, of a mask its pixels' box."""
    match region:
        case Point():
            radius = 3 * width
            corners = (region.x - radius, region.y - radius, region.x + radius, region.y + radius)
            pen.ellipse(corners, outline=colour, width=width)
        case Box() | Mask():
            x0, y0, x1, y1 = region.bounds().as_tuple()
            # Pillow's right and lower edges are pixels of the rectangle.
            pen.rectangle((x0, y0, max(x1 - 1, x0), max(y1 - 1, y0)), outline=colour, width=width)
        case Polygon():
            pen.line([*region.points, region.points[0]], fill=colour, width=width, joint="curve")
        case Scribble():
            points = region.points if len(region.points) > 1 else region.points * 2
            pen.line(list(points), fill=colour, width=width, joint="curve")


def draw_label(canvas: Image.Image, text: str, bounds: Box, colour: tuple[int, int, int]) -> None:
    """Write a text on a ground of ``colour`` at the upper left of a region, inside the canvas."""
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=max(12, max(canvas.size) // 45))
    shown = text if len(text) <= 40 else text[:37] + "..."
    _, _, right, bottom = pen.textbbox((0, 0), shown, font=font)
    x = min(max(bounds.x0, 0), max(canvas.width - right - 4, 0))
    y = min(max(bounds.y0 - bottom - 4, 0), max(canvas.height - bottom - 4, 0))
    pen.rectangle((x, y, x + right + 4, y + bottom + 4), fill=colour)
    pen.text((x + 2, y + 2), shown, fill=(255, 255, 255), font=font)

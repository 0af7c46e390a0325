"""An answer drawn on its picture: places in their phrase's colour, what was pointed at in black and white."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deixis.answers.as_text import short
from deixis.answers.content import AnswerContent
from deixis.answers.drawing.footer import footer, shortened
from deixis.answers.drawing.palette import BLACK, WHITE, Colour, colour_of, ink_on
from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.regions.frames import Frame, same_frame
from deixis.regions.raster import stroke_points
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

LEAST_LONG_SIDE = 640  # a smaller picture is enlarged, so that labels can be read
LEAST_CANVAS = (360, 72)  # a picture that is still narrower or lower lies on a larger ground
GROUND: Colour = (225, 225, 225)
BLEND = 0.45  # of a mask's colour
MOST_LABELS = 64  # each looks for room among those before it; further places have their outlines only

Corners = tuple[float, float, float, float]


def draw(answer: AnswerContent, number: int = 0) -> Image.Image:
    """Return the picture with an answer's places, the regions that were pointed at, and the text below.

    number: which of several pictures; only what is in it is drawn. UsageError: there is no such picture.

    >>> from deixis.pictures.opening import open_picture
    >>> from deixis.answers.grounded import Answer
    >>> draw(Answer("Grass.", (), open_picture(np.zeros((90, 160, 3), np.uint8)), "none", 0.0)).width
    640
    """
    if not 0 <= number < len(answer.pictures):
        raise UsageError(f"the answer is about {len(answer.pictures)} pictures; there is no number {number}")
    picture = answer.pictures[number]
    sheet = Sheet.of(picture)
    shown = [
        (span, colour_of(own), [place for place in span.places if same_frame(place.box.frame, picture.frame)])
        for own, span in enumerate(answer.spans)
    ]
    regions = [(name, region) for name, region in answer.regions if is_in(region, picture)]
    for _, colour, places in shown:
        for place in places:
            if place.mask is not None:
                sheet.blend(place.mask, colour)
    for _, colour, places in shown:
        for place in reversed(places):  # the best one on top
            sheet.outline_box(place.box, colour)
    for _, region in regions:
        sheet.outline_region(region)
    for name, region in regions:
        sheet.label(name, region, BLACK)
    named = [(span, colour, place) for span, colour, places in shown for place in places]
    for span, colour, place in named[:MOST_LABELS]:
        sheet.label(f"{short(span.phrase)} {place.score:.2f}", place.box, colour)
    text = footer(answer, width=sheet.canvas.width, text_size=round(sheet.text_size * 1.1))
    whole = Image.new("RGB", (sheet.canvas.width, sheet.canvas.height + text.height))
    whole.paste(sheet.canvas, (0, 0))
    whole.paste(text, (0, sheet.canvas.height))
    return whole


def is_in(region: Region, picture: Picture) -> bool:
    """Tell whether a region is in this picture; one without a size is in any."""
    return not region.frame.bound or same_frame(region.frame.root, picture.frame)


@dataclass
class Sheet:
    """A canvas that shows a picture, the frame of its pixels, and the labels that it has already."""

    canvas: Image.Image
    frame: Frame
    taken: list[Corners] = field(default_factory=list)

    @classmethod
    def of(cls, picture: Picture) -> Sheet:
        """Return a canvas for a picture, large enough to write on."""
        scale = max(1.0, LEAST_LONG_SIDE / max(picture.width, picture.height))
        width, height = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
        shown = picture.image().resize((width, height), Image.Resampling.BICUBIC)
        whole = (max(width, LEAST_CANVAS[0]), max(height, LEAST_CANVAS[1]))
        left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
        canvas = Image.new("RGB", whole, GROUND)
        canvas.paste(shown, (left, top))
        return cls(canvas, picture.frame.resized(width, height).padded(*whole, left=left, top=top))

    @property
    def unit(self) -> float:
        """How much larger than on an ordinary picture strokes and letters are."""
        return max(math.sqrt(self.canvas.width * self.canvas.height) / LEAST_LONG_SIDE, 0.8)

    @property
    def text_size(self) -> int:
        """The height of letters, in pixels."""
        return round(16 * self.unit)

    @property
    def stroke(self) -> int:
        """The width of lines, in pixels."""
        return max(round(3 * self.unit), 2)

    def blend(self, mask: Mask, colour: Colour) -> None:
        """Tint the pixels of a mask."""
        pixels, covered = np.array(self.canvas), mask.to(self.frame).rasterise()
        pixels[covered] = np.round(pixels[covered] * (1 - BLEND) + np.array(colour) * BLEND).astype(np.uint8)
        self.canvas = Image.fromarray(pixels)

    def outline_box(self, box: Box, colour: Colour) -> None:
        """Draw the edges of a box in a colour, with a thin dark seam that parts it from any ground."""
        pen, (x0, y0, x1, y1) = ImageDraw.Draw(self.canvas), self.corners(box)
        pen.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=BLACK, width=self.stroke + 2)
        pen.rectangle((x0, y0, x1, y1), outline=colour, width=self.stroke)

    def corners(self, box: Box) -> tuple[int, int, int, int]:
        """Return the first and the last pixel of a box, both inside of it and of the canvas."""
        (x0, y0, x1, y1), (width, height) = box.to(self.frame).as_tuple(), self.canvas.size
        left, top = min(max(round(x0), 0), width - 1), min(max(round(y0), 0), height - 1)
        return left, top, min(max(round(x1) - 1, left), width - 1), min(max(round(y1) - 1, top), height - 1)

    def outline_region(self, region: Region) -> None:
        """Draw what was pointed at, in white dashes on black: a ring for a point, a line for a scribble."""
        shape = region.to(self.frame)
        match shape:
            case Point():
                self.ring(shape)
            case Scribble():
                self.dashes(shape.points, dashed=False)
            case Polygon():
                self.dashes((*shape.points, shape.points[0]))
            case Box():
                x0, y0, x1, y1 = self.corners(region)  # type: ignore[arg-type]
                self.dashes(((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)))
            case Mask():
                self.rim(shape)

    def ring(self, point: Point) -> None:
        """Draw a ring around a point, and the point."""
        pen = ImageDraw.Draw(self.canvas)
        for radius, ink in ((3.5, BLACK), (3.0, WHITE), (2.0, BLACK), (1.2, WHITE)):
            reach = radius * self.stroke
            around = (point.x - reach, point.y - reach, point.x + reach, point.y + reach)
            pen.ellipse(around, outline=ink, width=self.stroke if radius >= 3 else max(self.stroke // 2, 1))

    def dashes(self, points: tuple[tuple[float, float], ...], *, dashed: bool = True) -> None:
        """Draw a line through points: black, and on it white, in dashes or whole."""
        pen, thin = ImageDraw.Draw(self.canvas), max(self.stroke - 1, 1)
        line = points if len(points) > 1 else points * 2
        pen.line(list(line), fill=BLACK, width=self.stroke + 2, joint="curve")
        if not dashed:
            pen.line(list(line), fill=WHITE, width=thin, joint="curve")
            return
        for start, end in pairwise(line):
            stops = [tuple(stop) for stop in stroke_points((start, end), step=3.0 * self.stroke).tolist()]
            for first, last in list(pairwise(stops))[::2]:
                pen.line([first, last], fill=WHITE, width=thin)

    def rim(self, mask: Mask) -> None:
        """Draw the rim of a mask: white inside, black outside."""
        pixels, covered = np.array(self.canvas), mask.rasterise()
        inner = covered & ~eroded(covered, max(self.stroke // 2, 1))
        outer = ~covered & eroded(covered, max(self.stroke // 2, 1), grow=True)
        pixels[inner], pixels[outer] = WHITE, BLACK
        self.canvas = Image.fromarray(pixels)

    def label(self, text: str, region: Region, ground: Colour) -> None:
        """Write a text near a region, inside the canvas and where it covers the least of other labels."""
        pen, font = ImageDraw.Draw(self.canvas), ImageFont.load_default(size=self.text_size)
        pad = max(self.text_size // 4, 2)
        shown = shortened(" ".join(text.split()), font, width=self.canvas.width - 2 * pad - 1)
        low, high = pen.textbbox((0, 0), "Ag", font=font)[1::2]
        wide, tall = math.ceil(font.getlength(shown)) + 2 * pad, math.ceil(high - low) + 2 * pad
        x, y = self.spot(self.reach(region), wide, tall)
        pen.rectangle((x, y, x + wide - 1, y + tall - 1), fill=ground, outline=ink_on(ground))
        pen.text((x + pad, y + pad - low), shown, fill=ink_on(ground), font=font)
        self.taken.append((x, y, x + wide, y + tall))

    def reach(self, region: Region) -> Corners:
        """Return the bounds of a region as it is drawn; those of a point are its ring's."""
        shape = region.to(self.frame)
        if isinstance(shape, Point):
            ring = 4.0 * self.stroke
            return shape.x - ring, shape.y - ring, shape.x + ring, shape.y + ring
        return shape.bounds().as_tuple()

    def spot(self, around: Corners, wide: int, tall: int) -> tuple[int, int]:
        """Return the upper left corner for a label: above, below or inside, or wherever there is room."""
        x0, y0, x1, y1 = map(round, around)
        last_x, last_y = max(self.canvas.width - wide, 0), max(self.canvas.height - tall, 0)
        near = [(x, y) for y in (y0 - tall, y1, y0, y1 - tall) for x in (x0, x1 - wide)]
        rows = sorted(range(0, last_y + 1, tall), key=lambda y: abs(y - y0))
        columns = sorted({x0, x1 - wide, *range(0, last_x + 1, wide)}, key=lambda x: abs(x - x0))
        far = [(x, y) for y in rows for x in columns]
        corners = [(min(max(x, 0), last_x), min(max(y, 0), last_y)) for x, y in (*near, *far)]
        return min(corners, key=lambda corner: self.covered(corner, wide, tall))

    def covered(self, corner: tuple[int, int], wide: int, tall: int) -> float:
        """Return how many pixels of other labels a label at ``corner`` would cover."""
        x, y = corner
        return sum(
            max(min(x1, x + wide) - max(x0, x), 0) * max(min(y1, y + tall) - max(y0, y), 0)
            for x0, y0, x1, y1 in self.taken
        )


def eroded(pixels: np.ndarray, steps: int, *, grow: bool = False) -> np.ndarray:
    """Return a mask (H, W) less its outermost ``steps`` pixels, or with as many more; the edge is no rim."""
    for _ in range(steps):
        padded = np.pad(pixels, 1, mode="edge")
        shifts = [padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]]
        pixels = np.logical_or.reduce([pixels, *shifts]) if grow else np.logical_and.reduce([pixels, *shifts])
    return pixels

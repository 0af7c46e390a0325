"""A drawn answer: places and pointed-at regions on the picture, question and answer in a strip below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from deixis.answers.grounded import Answer, Span
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

Colour = tuple[int, int, int]
# The palette of Okabe and Ito, which most colour-blind readers can tell apart.
COLOURS: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178),
)  # fmt: skip
BLACK, WHITE, GREY = (0, 0, 0), (255, 255, 255), (150, 150, 150)
STRIP = (24, 24, 24)
SMALLEST_SIDE = 640  # of the longer side; a smaller picture is enlarged, so that labels can be read
LEAST_SHEET = (320, 64)  # what a label needs, however thin the picture
BLEND = 0.4  # share of the colour in a mask
LONGEST_LABEL = 48
MOST_LINES = 24  # of the strip


def draw(answer: Answer) -> Image.Image:
    """Return the picture with places, regions and labels on it, and question and answer below it.

    The upper left of the drawing is the picture, enlarged by a whole number if its longer side has less than
    ``SMALLEST_SIDE`` pixels. Each phrase with places has a colour; what was pointed at is black and white.
    """
    picture = answer.picture
    factor = max(1, -(-SMALLEST_SIDE // max(picture.width, picture.height)))
    frame = picture.frame.resized(picture.width * factor, picture.height * factor)
    colours = span_colours(answer.spans)
    enlarged = picture.image().resize(tuple(map(round, frame.size)), Image.Resampling.BICUBIC)
    sheet = Image.new("RGB", tuple(map(max, enlarged.size, LEAST_SHEET)), STRIP)
    sheet.paste(with_masks(enlarged, answer.spans, colours, frame))
    marks = Marks(sheet)
    for span, colour in zip(answer.spans, colours, strict=True):
        for place in reversed(span.places):  # the best one comes last, on top
            marks.place(place.box.to(frame), colour, f"{span.phrase} {place.score:.2f}")
    for name, region in answer.regions:
        marks.region(region.bind(picture.frame).to(frame), name)
    marks.write_labels()
    strip = written_strip(answer, colours, width=sheet.width, size=marks.font.size)
    drawn = Image.new("RGB", (sheet.width, sheet.height + strip.height))
    drawn.paste(sheet)
    drawn.paste(strip, (0, sheet.height))
    return drawn


def span_colours(spans: Sequence[Span]) -> list[Colour]:
    """Return a colour for each span: grey without places, else one of its own (paler from the eighth on)."""
    colours, used = [], 0
    for span in spans:
        if not span.places:
            colours.append(GREY if span.nowhere else WHITE)
            continue
        paleness, which = divmod(used, len(COLOURS))
        white = 1 - 0.55**paleness
        red, green, blue = (round(part + (255 - part) * white) for part in COLOURS[which])
        colours.append((red, green, blue))
        used += 1
    return colours


def with_masks(
    image: Image.Image, spans: Sequence[Span], colours: Sequence[Colour], frame: Frame
) -> Image.Image:
    """Return the image with the colour of each span blended over the masks of its places."""
    pixels: NDArray[np.uint8] | None = None
    for span, colour in zip(spans, colours, strict=True):
        for place in span.places:
            if place.mask is not None:
                pixels = np.array(image) if pixels is None else pixels
                inside = place.mask.to(frame).rasterise()
                blended = pixels[inside] * (1 - BLEND) + np.array(colour) * BLEND
                pixels[inside] = blended.round().astype(np.uint8)
    return image if pixels is None else Image.fromarray(pixels)


@dataclass
class Marks:
    """What is drawn onto a sheet, and the labels that wait until all outlines are there."""

    sheet: Image.Image
    waiting: list[tuple[str, Box, Colour]] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pen = ImageDraw.Draw(self.sheet)
        shorter, longer = sorted(self.sheet.size)
        self.font = default_font(max(14, min(longer // 45, shorter // 12)))
        self.width = max(2, round(self.font.size / 6))

    def place(self, box: Box, colour: Colour, label: str) -> None:
        """Outline a place in its colour, with a thin dark rim that shows on any ground."""
        x0, y0, x1, y1 = (round(edge) for edge in box.as_tuple())
        last = (max(x1 - 1, x0), max(y1 - 1, y0))  # Pillow's right and lower edges belong to the rectangle
        self.pen.rectangle((x0 - 1, y0 - 1, last[0] + 1, last[1] + 1), outline=BLACK, width=self.width + 2)
        self.pen.rectangle((x0, y0, *last), outline=colour, width=self.width)
        self.waiting.append((label, box, colour))

    def region(self, region: Region, name: str) -> None:
        """Outline what was pointed at: a ring for a point, else a dashed line."""
        bounds = region.bounds()
        match region:
            case Point():
                radius = 3 * self.width
                for grown, colour in ((1, BLACK), (0, WHITE)):
                    reach, rim = radius + grown, self.width + 2 * grown
                    bounds = Box(
                        region.x - reach, region.y - reach, region.x + reach, region.y + reach,
                        frame=region.frame,
                    )  # fmt: skip
                    self.pen.ellipse(bounds.as_tuple(), outline=colour, width=rim)
                self.taken.append(bounds.as_tuple())
            case Box():
                x0, y0, x1, y1 = region.as_tuple()
                self.dashes([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])
            case Polygon():
                self.dashes([*region.points, region.points[0]])
            case Scribble():
                self.dashes(region.points if len(region.points) > 1 else region.points * 2)
            case Mask():
                self.dashed_edge(region.rasterise())
        self.waiting.append((name, bounds, BLACK))

    def dashes(self, path: ArrayLike) -> None:
        """Draw a line of black and white dashes along a path (n, 2)."""
        corners = np.asarray(path, dtype=np.float64)
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
        dash = 4.0 * self.width
        stops = np.union1d(along, np.arange(0, along[-1], dash))
        points = np.stack([np.interp(stops, along, corners[:, axis]) for axis in (0, 1)], axis=1)
        self.pen.line([tuple(p) for p in corners], fill=BLACK, width=self.width + 2, joint="curve")
        for number, (start, end) in enumerate(pairwise(points)):
            if (stops[number] + stops[number + 1]) // 2 // dash % 2 == 0:
                self.pen.line([tuple(start), tuple(end)], fill=WHITE, width=self.width)

    def dashed_edge(self, pixels: NDArray[np.bool_]) -> None:
        """Draw the inner edge of a set of pixels (H, W) in black and white pieces."""
        inner = pixels.copy()
        for _ in range(self.width):
            middle = np.pad(inner, 1)
            inner &= middle[:-2, 1:-1] & middle[2:, 1:-1] & middle[1:-1, :-2] & middle[1:-1, 2:]
        ys, xs = np.nonzero(pixels & ~inner)
        white = (xs // (4 * self.width) + ys // (4 * self.width)) % 2 == 0
        for which, colour in ((white, WHITE), (~white, BLACK)):
            self.pen.point(np.stack([xs[which], ys[which]], axis=1).ravel().tolist(), fill=colour)

    def write_labels(self) -> None:
        """Write the waiting labels, each where it covers no other one if there is such a place."""
        for text, bounds, colour in self.waiting:
            shown = fitting(text, self.font, width=self.sheet.width - 8)
            width = self.font.getlength(shown) + 8
            height = sum(self.font.getmetrics()) + 4
            spots = label_spots(bounds, width, height, self.sheet.size)
            x, y = spots[int(np.argmin(covered(spots, width, height, self.taken)))].tolist()
            self.taken.append((x, y, x + width, y + height))
            rim = WHITE if colour == BLACK else BLACK
            self.pen.rectangle((x, y, x + width - 1, y + height - 1), fill=colour, outline=rim)
            self.pen.text((x + 4, y + 2), shown, fill=readable_on(colour), font=self.font)


def label_spots(bounds: Box, width: float, height: float, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return upper left corners (n, 2) for a label inside a sheet, the most wanted first.

    They are above, below and inside the bounds, then anywhere, the nearest first.
    """
    x0, y0, x1, y1 = bounds.as_tuple()
    lefts, tops = (x0, x1 - width), (y0 - height, y1, y0, y1 - height)
    beside = [(left, top) for top in tops for left in lefts]
    most = np.maximum(np.array(size) - [width, height], 0)
    grid = np.stack(
        np.meshgrid(np.arange(0, most[0] + 1, height), np.arange(0, most[1] + 1, height / 2)), axis=-1
    ).reshape(-1, 2)
    distance = np.linalg.norm(grid - [x0, y0 - height], axis=1)
    spots = np.concatenate([np.array(beside), grid[np.argsort(distance, kind="stable")]])
    return np.clip(spots, 0, most).round()


def covered(
    spots: NDArray[np.float64], width: float, height: float, taken: Sequence[tuple[float, ...]]
) -> NDArray[np.float64]:
    """Return how much (n) of what is taken a label at each spot (n, 2) would cover."""
    total = np.zeros(len(spots))
    for x0, y0, x1, y1 in taken:
        wide = np.minimum(spots[:, 0] + width, x1) - np.maximum(spots[:, 0], x0)
        high = np.minimum(spots[:, 1] + height, y1) - np.maximum(spots[:, 1], y0)
        total += np.maximum(wide, 0) * np.maximum(high, 0)
    return total


def written_strip(answer: Answer, colours: Sequence[Colour], *, width: int, size: float) -> Image.Image:
    """Return the strip below the picture: question, answer, and what is not there or could not be read."""
    font = default_font(size)
    edge = round(size / 2)
    lines = wrapped([(answer.question, GREY)], font, width=width - 2 * edge)
    pieces, done = [], 0
    for span, colour in zip(answer.spans, colours, strict=True):
        pieces += [(answer.text[done : span.start], WHITE), (span.phrase, colour)]
        done = span.end
    lines += wrapped([*pieces, (answer.text[done:], WHITE)], font, width=width - 2 * edge)
    for span in answer.spans:
        if span.nowhere:
            absent = f"not in the picture: {span.phrase} {span.nowhere_score:.2f}"
            lines += wrapped([(absent, GREY)], font, width=width - 2 * edge)
    for failure in answer.parse_failures:
        lines += wrapped([(f"could not be read: {failure}", WHITE)], font, width=width - 2 * edge)
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], [("...", WHITE)]]
    step = round(size * 1.4)
    strip = Image.new("RGB", (width, len(lines) * step + 2 * edge), STRIP)
    pen = ImageDraw.Draw(strip)
    for row, line in enumerate(lines):
        x = float(edge)
        for word, colour in line:
            pen.text((x, edge + row * step), word, fill=colour, font=font)
            x += font.getlength(word)
    return strip


def wrapped(
    pieces: Sequence[tuple[str, Colour]], font: ImageFont.FreeTypeFont, *, width: float
) -> list[list[tuple[str, Colour]]]:
    """Return coloured pieces of a text as lines that are at most ``width`` wide, broken between words."""
    lines: list[list[tuple[str, Colour]]] = []
    room = 0.0
    for word, colour in words_of(pieces):
        length = font.getlength(word)
        if not lines or (length > room and word.strip()):
            lines.append([])
            room = width
        if not lines[-1]:
            word = word.lstrip()
        lines[-1].append((word, colour))
        room -= length
    return [line for line in lines if any(word for word, _ in line)]


def words_of(pieces: Sequence[tuple[str, Colour]]) -> Iterator[tuple[str, Colour]]:
    """Yield words and single spaces."""
    for text, colour in pieces:
        for number, word in enumerate(text.replace("\n", " ").split(" ")):
            if number:
                yield " ", colour
            if word:
                yield word, colour


def fitting(text: str, font: ImageFont.FreeTypeFont, *, width: float) -> str:
    """Return a text on one line, its middle left out where it is too long."""
    shown = " ".join(text.split())
    keep = min(len(shown), LONGEST_LABEL)
    while True:
        head = keep * 2 // 3
        short = shown if keep == len(shown) else f"{shown[:head]}...{shown[len(shown) - (keep - head) :]}"
        if font.getlength(short) <= width or keep <= 1:
            return short
        keep -= 1


def readable_on(colour: Colour) -> Colour:
    """Return black or white, whichever is read more easily on a colour."""
    red, green, blue = colour
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else WHITE


def default_font(size: float) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font."""
    font = ImageFont.load_default(size=size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font

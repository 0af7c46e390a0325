"""A photo with the places of several answers on it, each with the number of its question."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from deixis.answers.drawing.drawn_answer import Sheet
from deixis.answers.drawing.palette import BLACK, WHITE, Colour, colour_of
from deixis.pictures.opening import Picture
from deixis.regions.raster import stroke_points
from deixis.regions.shapes import Box

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

Numbered = tuple[int, "Answer", tuple[Box, ...]]
"""The number of a question from 1, its answer, and the true boxes that are shown beside it."""
LARGER = 1.5  # than on other drawings, since a page on a phone halves them
APART = 3  # pixels between a true box and the line of a place that is drawn over the very same box


class LegibleSheet(Sheet):
    """A sheet with larger letters."""

    @property
    def text_size(self) -> int:
        """The height of letters, in pixels."""
        return round(super().text_size * LARGER)


def draw_answers(picture: Picture, answers: Sequence[Numbered]) -> Image.Image:
    """Return the photo with all places, what was pointed at, and true boxes in dashes.

    Question n has the colour ``colour_of(n - 1)``; what was pointed at is black and white.
    """
    sheet = LegibleSheet.of(picture)
    for number, answer, missed in answers:
        for box in missed:
            dashed_box(sheet, box, colour_of(number - 1))
        for box in places_of(answer):
            sheet.outline_box(box, colour_of(number - 1))
    for _, answer, _ in answers:
        for _, region in answer.regions:
            sheet.outline_region(region)
    for number, answer, missed in answers:
        for _, region in answer.regions:
            sheet.label(str(number), region, BLACK)
        for box in places_of(answer):
            sheet.label(str(number), box, colour_of(number - 1))
        if missed:
            sheet.label(f"{number} meant", max(missed, key=lambda box: box.area), WHITE)
    return sheet.canvas


def draw_phrases(answer: Answer) -> Image.Image:
    """Return the photo with the places of one answer, each with its phrase and in its phrase's colour."""
    sheet = LegibleSheet.of(answer.picture)
    places = [(n, span, place) for n, span in enumerate(answer.spans) for place in reversed(span.places)]
    for number, _, place in places:
        sheet.outline_box(place.box, colour_of(number))
    for number, span, place in places:
        sheet.label(span.phrase, place.box, colour_of(number))
    return sheet.canvas


def places_of(answer: Answer) -> list[Box]:
    """Return the boxes of an answer, the best of each phrase last, so that it is drawn on top."""
    return [place.box for span in answer.spans for place in reversed(span.places)]


def dashed_box(sheet: Sheet, box: Box, colour: Colour) -> None:
    """Draw dashes with a dark seam around a box, a little outside of it where the picture has room."""
    pen, (x0, y0, x1, y1) = ImageDraw.Draw(sheet.canvas), sheet.corners(box)
    (width, height), apart = sheet.canvas.size, sheet.stroke + APART
    left, top = max(x0 - apart, 1), max(y0 - apart, 1)
    right, bottom = min(x1 + apart, width - 2), min(y1 + apart, height - 2)
    around = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for edge in pairwise(around):
        stops = [tuple(stop) for stop in stroke_points(edge, step=3.0 * sheet.stroke).tolist()]
        for dash in list(pairwise(stops))[::2]:
            pen.line(dash, fill=BLACK, width=sheet.stroke + 2)
            pen.line(dash, fill=colour, width=sheet.stroke)

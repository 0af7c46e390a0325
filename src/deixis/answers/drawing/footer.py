"""The strip of text below a drawn answer: what was asked and said, and what could not be found or read."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from deixis.answers.as_text import short
from deixis.answers.content import AnswerContent
from deixis.answers.drawing.palette import BLACK, Colour, colour_of

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Underline = tuple[int, int, Colour]  # from character, to character

GROUND: Colour = (250, 250, 250)
QUIET: Colour = (95, 95, 95)
MOST_CHARACTERS, MOST_LINES = 2000, 60  # of a text that is shown
MOST_NOTES = 20  # about what is not there or could not be read


def footer(answer: AnswerContent, *, width: int, text_size: int) -> Image.Image:
    """Return a strip of this width with the question, the answer (its spans underlined) and notes."""
    underlines = [(span.start, span.end, colour_of(number)) for number, span in enumerate(answer.spans)]
    paragraphs: list[tuple[str, Colour, Sequence[Underline]]] = []
    if answer.question:
        paragraphs.append((answer.question, QUIET, ()))
    paragraphs.append((answer.text or "(no words)", BLACK, underlines))
    notes = [
        f"{short(span.phrase)}: not in the picture ({span.nowhere_score:.2f})"
        for span in answer.spans
        if span.nowhere
    ]
    notes += [f"could not be read: {failure}" for failure in answer.parse_failures]
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"and {len(notes) - MOST_NOTES:,} notes more"]
    paragraphs += [(note, QUIET, ()) for note in notes]

    font = ImageFont.load_default(size=text_size)
    margin, pitch = text_size * 2 // 3, text_size * 3 // 2
    laid = [(lines_of(text, font, width=width - 2 * margin), ink, marks) for text, ink, marks in paragraphs]
    strip = Image.new("RGB", (width, 2 * margin + pitch * sum(len(lines) for lines, *_ in laid)), GROUND)
    pen, y = ImageDraw.Draw(strip), margin
    for lines, ink, marks in laid:
        for start, words in lines:
            write_line(pen, words, (margin, y), font, ink=ink, underlines=shifted(marks, start, len(words)))
            y += pitch
    return strip


def write_line(
    pen: ImageDraw.ImageDraw,
    words: str,
    corner: tuple[int, int],
    font: Font,
    *,
    ink: Colour,
    underlines: Sequence[Underline],
) -> None:
    """Write one line with thick coloured lines under parts of it."""
    x, y = corner
    ascent = pen.textbbox((0, 0), "Ag", font=font)[3]
    thick = max(2, ascent // 5)
    for start, end, colour in underlines:
        left, right = x + font.getlength(words[:start]), x + font.getlength(words[:end])
        pen.rectangle((left, y + ascent, max(right - 1, left), y + ascent + thick - 1), fill=colour)
    pen.text(corner, words, fill=ink, font=font)


def shifted(underlines: Sequence[Underline], start: int, length: int) -> list[Underline]:
    """Return underlines of a text as those of its line that begins at ``start``."""
    moved = [(max(low - start, 0), min(high - start, length), colour) for low, high, colour in underlines]
    return [(low, high, colour) for low, high, colour in moved if low < high]


def lines_of(text: str, font: Font, *, width: float) -> list[tuple[int, str]]:
    """Return the lines of a text, ``width`` pixels wide at most, each with where it begins in the text.

    It is broken at spaces, and a word that is too long anywhere.
    """
    shown = text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
    lines = []
    for paragraph in re.finditer(r"[^\r\n]+", shown):
        start, stop = paragraph.span()
        while start < stop:
            full = start + fitting(shown[start:stop], font, width=width)
            space = shown.rfind(" ", start, full + 1) if full < stop else full
            end = space if space > start else full
            lines.append((start, shown[start:end]))
            start = end + len(shown[end:stop]) - len(shown[end:stop].lstrip())
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [(lines[MOST_LINES][0], "…")]
    return lines


def fitting(text: str, font: Font, *, width: float) -> int:
    """Return how many characters of a text fit into ``width`` pixels; at least one."""
    return max(
        bisect_right(range(1, len(text) + 1), width, key=lambda count: font.getlength(text[:count])), 1
    )


def shortened(text: str, font: Font, *, width: float) -> str:
    """Return a text, cut with an ellipsis if it is wider than ``width`` pixels."""
    if font.getlength(text) <= width:
        return text
    return text[: fitting(text, font, width=width - font.getlength("…"))].rstrip() + "…"

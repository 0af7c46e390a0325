"""Boxes and points as text, as the Ferret family writes them: thousandths of the picture in brackets.

    a dog [120, 300, 450, 620]      a point in a question: [285, 460] <region_fea>

The scale has 1000 steps on both axes whatever the picture's size (ferret.md, sections 6 and 8). "published"
cuts off decimals both ways, as the released weights were trained and scored; a box shrinks by up to a step on
its way to text and back. "corrected" takes the nearest step. The published parsers stand here too: they
decide scores. Answers to users are read by ``boxed_phrases``, which turns nothing malformed into a box.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deixis.errors import BadRegion, MalformedAnswer, UsageError

STEPS = 1000
REGION_TOKEN = "<region_fea>"  # stands behind the coordinates of every region in a question
LONGEST_NUMBER = 15  # digits; beyond that a float no longer holds every whole number
EXACT_BOX = re.compile(r"\[" + ", ".join([rf"(\d{{1,{LONGEST_NUMBER}}})"] * 4) + r"\]")
# The whole run of letters and blanks in front of a bracket; possessive, so that it is read once.
PHRASE_AND_BOX = re.compile(r"(?<![a-zA-Z\s])([a-zA-Z\s]{2,}+)(?<=\s)(\[[\d,\s]++\])")
AFTER_A_BOX = ".,;!?"

Rounding = Literal["published", "corrected"]
PixelBox = tuple[int, int, int, int]
"""x0, y0, x1, y1 as whole numbers: thousandths, or pixels cut off as the published scores have them."""


class NotWholeNumbers(MalformedAnswer, ValueError):
    """A bracket of an answer that should hold whole numbers and doesn't."""


class TooFewNumbers(MalformedAnswer, IndexError):
    """A bracket of an answer with fewer than four numbers."""


@dataclass(frozen=True)
class PhraseBox:
    """A phrase of an answer and its box, as a published parser reads them."""

    phrase: str
    box: PixelBox


def thousandth(value: float, size: float, *, rounding: Rounding = "published") -> int:
    """Return a pixel coordinate on the scale of thousandths.

    >>> thousandth(10, 640), thousandth(10, 640, rounding="corrected")
    (15, 16)
    """
    if size <= 0:
        raise BadRegion(f"a picture's side is {size}; expected a length above 0")
    if rounding == "published":
        return int(value * (STEPS / size))
    if rounding == "corrected":
        return round(value * STEPS / size)
    raise UsageError(f'rounding is {rounding!r}; expected "published" or "corrected"')


def clamped(values: Sequence[float], *, width: float, height: float) -> list[float]:
    """Return x and y in turn, moved into [0, width - 1] and [0, height - 1] as in training.

    >>> clamped([-5, -7, 900, 900], width=640, height=480)
    [0, 0, 639, 479]
    """
    sides = check_pairs(values, width=width, height=height)
    return [min(max(value, 0), side - 1) for value, side in zip(values, sides, strict=True)]


def coordinate_text(
    values: Sequence[float], *, width: float, height: float, rounding: Rounding = "published"
) -> str:
    """Return a point (2 values) or box (4), in pixels of a picture, as text.

    Nothing is clamped here: training clamps before (``clamped``), evaluation doesn't and may write 1000.

    >>> coordinate_text([10, 20, 300, 400], width=640, height=480)
    '[15, 41, 468, 833]'
    """
    sides = check_pairs(values, width=width, height=height)
    steps = [thousandth(value, side, rounding=rounding) for value, side in zip(values, sides, strict=True)]
    return "[" + ", ".join(map(str, steps)) + "]"


def pixels_of(steps: Sequence[int], *, width: float, height: float) -> tuple[int, ...]:
    """Return thousandths as whole pixels, cut off as the published scores do it.

    >>> pixels_of([15, 41, 468, 833], width=640, height=480)
    (9, 19, 299, 399)
    """
    sides = check_pairs(steps, width=width, height=height)
    return tuple(int(step * side / STEPS) for step, side in zip(steps, sides, strict=True))


def check_pairs(values: Sequence[float], *, width: float, height: float) -> list[float]:
    """Return the side of the picture that each value is measured on.

    BadRegion unless there are 2 or 4 finite values.
    """
    if len(values) not in (2, 4):
        raise BadRegion(
            f"coordinates are x, y or x0, y0, x1, y1; got {len(values)} numbers: {list(values)[:8]}"
        )
    if not all(map(math.isfinite, values)):
        raise BadRegion(f"coordinates {list(values)} are not all finite; expected pixels of the picture")
    return [width, height] * (len(values) // 2)


def pixel_box(steps: Sequence[int], *, width: float, height: float) -> PixelBox:
    """Return the first four numbers as a box in pixels; TooFewNumbers if there are fewer."""
    if len(steps) < 4:
        raise TooFewNumbers(f"a bracket holds {list(steps)}; expected four numbers x0, y0, x1, y1")
    x0, y0, x1, y1 = pixels_of(steps[:4], width=width, height=height)
    return x0, y0, x1, y1


def whole_numbers(text: str) -> list[int]:
    """Return numbers set apart by commas; NotWholeNumbers for anything else."""
    parts = text.split(",")
    try:
        if max(map(len, parts)) > 2 * LONGEST_NUMBER:
            raise ValueError("a number is too long")
        return [int(part) for part in parts]
    except ValueError as fault:
        raise NotWholeNumbers(f"a bracket holds {text!r:.80}; expected whole numbers and commas") from fault


def scored_phrases(text: str, *, width: float, height: float) -> list[PhraseBox]:
    """Return phrases and boxes as the scores of expressions and Flickr30k Entities read them.

    A phrase goes from behind the delimiter that follows the last box (or the start) to the bracket; what lies
    between a box and the next delimiter is lost. More than four numbers: the first four count.
    Raises NotWholeNumbers or TooFewNumbers; the published scores then take the answer for one without boxes
    (the original program stopped at the latter).

    >>> scored_phrases("a man [100, 200, 300, 400], a dog [1, 2, 3, 4].", width=1000, height=1000)[1]
    PhraseBox(phrase='a dog', box=(1, 2, 3, 4))
    """
    found: list[PhraseBox] = []
    phrase, start = "", 0
    for place, character in enumerate(text):
        if character == "[":
            phrase, start = text[start:place].strip(), place + 1
        elif character == "]":
            numbers = whole_numbers(text[start:place])
            found.append(PhraseBox(phrase, pixel_box(numbers, width=width, height=height)))
            phrase = ""
            ends = [end for mark in AFTER_A_BOX if (end := text.find(mark, place)) >= 0]
            start = min(ends, default=len(text)) + 1
    return found


def exact_boxes(text: str) -> list[PixelBox]:
    """Return the boxes in thousandths that are spaced exactly as in training, each once, in order.

    >>> exact_boxes("x [1, 2, 3, 4], [5,6,7,8], x [1, 2, 3, 4]")
    [(1, 2, 3, 4)]
    """
    found = ((int(a), int(b), int(c), int(d)) for a, b, c, d in EXACT_BOX.findall(text))
    return list(dict.fromkeys(found))


def tagged(text: str) -> tuple[str, list[PixelBox]]:
    """Return the text with every exactly spaced box replaced by ``[obj0]``, ``[obj1]``, …, and those boxes.

    The boxes are in thousandths; equal ones share a tag.

    >>> tagged("x [1, 2, 3, 4] . y [1, 2, 3, 4] .")
    ('x [obj0] . y [obj0] .', [(1, 2, 3, 4)])
    """
    boxes = exact_boxes(text)
    return EXACT_BOX.sub(lambda match: f"[obj{boxes.index(box_of(match))}]", text), boxes


def phrases_without_boxes(text: str) -> list[str]:
    """Return the text between boxes, split where a full stop stands behind a space or a box's place.

    >>> phrases_without_boxes("the man [1, 2, 3, 4]. a dog [5, 6, 7, 8]")
    ['the man', 'a dog']
    """
    parts = (part.strip() for part in EXACT_BOX.sub("", text).split(" ."))
    return [part for part in parts if part]


def lettered_pairs(text: str, *, width: float, height: float) -> list[PhraseBox]:
    """Return pairs of a phrase of bare letters and the bracket behind it, as the published drawing has them.

    Raises TooFewNumbers, and NotWholeNumbers for a bracket such as "[1,,2]".
    """
    return [
        PhraseBox(phrase.strip(), pixel_box(whole_numbers(box[1:-1]), width=width, height=height))
        for phrase, box in PHRASE_AND_BOX.findall(text)
    ]


def box_of(match: re.Match[str]) -> PixelBox:
    """Return the four numbers of a match of EXACT_BOX."""
    a, b, c, d = match.groups()
    return int(a), int(b), int(c), int(d)


def fill_placeholders(
    text: str, coordinates: Sequence[tuple[str, str]], *, region_token: str = REGION_TOKEN
) -> tuple[str, list[int]]:
    """Return text whose placeholders became coordinates and a region token, and which one stood where.

    coordinates: placeholder and coordinate text of every region, such as ("[region0]", "[1, 2]"). A region
    spoken of twice gets two tokens, and its number stands twice in the order.

    >>> fill_placeholders("[region1] or [region0]?", [("[region0]", "[1, 2]"), ("[region1]", "[3, 4]")])
    ('[3, 4] <region_fea> or [1, 2] <region_fea>?', [1, 0])
    """
    numbers = {name: number for number, (name, _) in enumerate(coordinates)}
    if not numbers:
        return text, []
    if len(numbers) != len(coordinates) or "" in numbers:
        raise UsageError(
            f"placeholders are {[name for name, _ in coordinates]}; expected different, non-empty ones"
        )
    longest_first = sorted(numbers, key=len, reverse=True)
    order: list[int] = []

    def fill(match: re.Match[str]) -> str:
        order.append(numbers[match.group()])
        return f"{coordinates[order[-1]][1]} {region_token}"

    return re.sub("|".join(map(re.escape, longest_first)), fill, text), order

"""Regions of a question as coordinates, for a Florence-VL that was fine-tuned to read them.

What is {it}?   ->   What is [15, 41, 468, 833]?        or: [0.02, 0.04, 0.47, 0.83]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from deixis.answers.reading.boxed_phrases import WrittenBox, read_bracket
from deixis.answers.reading.dialects import coordinate_text
from deixis.answers.reading.phrase_reader import BoxedPhraseReader
from deixis.answers.reading.plain_reader import PlainReader
from deixis.regions.shapes import Box, Mask, Point, Region
from deixis.systems.spliced.dialect import PlaceText, Variant, WrittenRegion

Numbers = Literal["thousandths", "decimals"]
DECIMALS = re.compile(r"\[" + ",".join([r"\s*([01](?:\.\d{1,9})?|\.\d{1,9})\s*"] * 4) + r"\]", re.ASCII)


def read_decimals(bracket: str, start: int) -> WrittenBox | str:
    """Return the box of a bracket with fractions, ``start`` characters into a text, or what is wrong with it.

    More decimals than three are rounded to thousandths.

    >>> read_decimals("[0.10, 0.2, 0.55, 1]", 0).steps
    (100, 200, 550, 1000)
    >>> read_decimals("[0.5, 0.2, 0.3, 1.2]", 0)
    '[0.5, 0.2, 0.3, 1.2] is not four fractions from 0 to 1'
    """
    found = DECIMALS.fullmatch(bracket)
    shares = [] if found is None else [float(one) for one in found.groups()]
    if found is None or max(shares) > 1:
        return f"{bracket[:60]} is not four fractions from 0 to 1"
    x0, y0, x1, y1 = (round(1000 * share) for share in shares)
    if x1 <= x0 or y1 <= y0:
        return f"{bracket[:60]} needs x0 < x1 and y0 < y1"
    places = tuple((start + found.start(number), start + found.end(number)) for number in range(1, 5))
    return WrittenBox((x0, y0, x1, y1), start, start + len(bracket), places)


@dataclass(frozen=True)
class CoordinateDialect:
    """Points and boxes as numbers; other regions are written as the box around them.

    numbers: "thousandths" of the original, or "decimals": fractions of its sides with two decimals, as boxes
    stand in LLaVA's data.
    """

    spells_boxes: bool = True
    numbers: Numbers = "thousandths"

    def write_region(
        self, region: Region, *, variant: Variant = "eval", meant: Box | Mask | None = None
    ) -> WrittenRegion:
        """Return a region as two or four numbers in a bracket.

        >>> from deixis.regions import Frame
        >>> CoordinateDialect().write_region(Point(10, 20).bind(Frame.original(640, 480))).text
        '[16, 42]'
        >>> box = Box(64, 48, 640, 480).bind(Frame.original(640, 480))
        >>> CoordinateDialect(numbers="decimals").write_region(box).text
        '[0.10, 0.10, 1.00, 1.00]'
        """
        if isinstance(region, Point):
            values: tuple[float, ...] = (region.x, region.y)
        else:
            values = region.bounds().as_tuple()
        return WrittenRegion(written(values, region, numbers=self.numbers), None)

    def write_box(self, box: Box) -> str:
        """Return a box as four numbers in a bracket, or nothing where answers are words only."""
        return written(box.as_tuple(), box, numbers=self.numbers) if self.spells_boxes else ""

    def reader(self) -> PlaceText:
        """Return what reads an answer."""
        if not self.spells_boxes:
            return PlainReader()
        return BoxedPhraseReader(read_decimals if self.numbers == "decimals" else read_bracket)


def written(values: tuple[float, ...], region: Region, *, numbers: Numbers = "thousandths") -> str:
    """Return coordinates in a region's frame as text."""
    width, height = region.frame.size
    if numbers == "decimals":
        sides = (width, height) * 2
        shares = (min(max(value / side, 0.0), 1.0) for value, side in zip(values, sides, strict=False))
        return "[" + ", ".join(f"{share:.2f}" for share in shares) + "]"
    return coordinate_text(values, width=width, height=height, rounding="corrected")

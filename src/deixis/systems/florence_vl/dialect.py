"""Regions of a question as coordinates, for a Florence-VL that was fine-tuned to read them.

What is {it}?   ->   What is [15, 41, 468, 833]?
"""

from __future__ import annotations

from dataclasses import dataclass

from deixis.answers.reading.dialects import coordinate_text
from deixis.answers.reading.phrase_reader import BoxedPhraseReader
from deixis.answers.reading.plain_reader import PlainReader
from deixis.regions.shapes import Box, Mask, Point, Region
from deixis.systems.spliced.dialect import PlaceText, Variant, WrittenRegion


@dataclass(frozen=True)
class CoordinateDialect:
    """Points and boxes in thousandths of the original; other regions are written as the box around them."""

    spells_boxes: bool = True

    def write_region(
        self, region: Region, *, variant: Variant = "eval", meant: Box | Mask | None = None
    ) -> WrittenRegion:
        """Return a region as two or four numbers in a bracket.

        >>> from deixis.regions import Frame
        >>> CoordinateDialect().write_region(Point(10, 20).bind(Frame.original(640, 480))).text
        '[16, 42]'
        """
        if isinstance(region, Point):
            values: tuple[float, ...] = (region.x, region.y)
        else:
            values = region.bounds().as_tuple()
        return WrittenRegion(written(values, region), None)

    def write_box(self, box: Box) -> str:
        """Return a box as four numbers in a bracket, or nothing where answers are words only."""
        return written(box.as_tuple(), box) if self.spells_boxes else ""

    def reader(self) -> PlaceText:
        """Return what reads an answer."""
        return BoxedPhraseReader() if self.spells_boxes else PlainReader()


def written(values: tuple[float, ...], region: Region) -> str:
    """Return coordinates in a region's frame as text."""
    width, height = region.frame.size
    return coordinate_text(values, width=width, height=height, rounding="corrected")

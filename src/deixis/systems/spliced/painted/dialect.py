"""Regions as words of what is painted, and answers that are words only or spell boxes as thousandths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deixis.answers.reading.dialects import coordinate_text
from deixis.answers.reading.phrase_reader import BoxedPhraseReader
from deixis.answers.reading.plain_reader import PlainReader
from deixis.errors import UsageError
from deixis.painting.sign import Sign
from deixis.regions.shapes import Box, Mask, Region
from deixis.systems.spliced.dialect import PlaceText, Variant, WrittenRegion


@dataclass(frozen=True)
class PaintedDialect:
    """The dialect of one dialogue. signs: what each of its regions is marked with."""

    signs: Mapping[Region, Sign] = field(default_factory=dict)
    spells_boxes: bool = False

    def write_region(
        self, region: Region, *, variant: Variant = "eval", meant: Box | Mask | None = None
    ) -> WrittenRegion:
        """Return the words for a region's mark, such as "within the red rectangle"."""
        if region not in self.signs:
            raise UsageError(f"nothing was painted for {region}; a dialogue's regions are painted first")
        return WrittenRegion(self.signs[region].reference(), None)

    def write_box(self, box: Box) -> str:
        """Return a box as four numbers in a bracket, or nothing where answers are words only."""
        if not self.spells_boxes:
            return ""
        width, height = box.frame.size
        return coordinate_text(box.as_tuple(), width=width, height=height)

    def reader(self) -> PlaceText:
        """Return what reads an answer."""
        return BoxedPhraseReader() if self.spells_boxes else PlainReader()

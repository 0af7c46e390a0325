"""Places as Ferret writes them: thousandths of the original in brackets, and a token behind every region.

What is {it}?                       ->  What is [15, 41, 468, 833] <region_fea>?
A dog on a sofa. (marks on both)    ->  A dog [15, 41, 468, 833] on a sofa [0, 20, 998, 997].
"""

from __future__ import annotations

from dataclasses import dataclass

from deixis.answers.reading.dialects import coordinate_text
from deixis.answers.reading.phrase_reader import BoxedPhraseReader
from deixis.answers.reading.plain_reader import PlainReader
from deixis.regions.shapes import Box, Mask, Region
from deixis.systems.ferret.region_pixels import pointed, whole_pixels
from deixis.systems.spliced.dialect import PlaceText, Variant, WrittenRegion


@dataclass(frozen=True)
class FerretDialect:
    """The dialect of Ferret and Ferret-v2 (ferret.md section 6, ferret_v2.md section 8).

    region_tokens: whether a token for the region's vector stands behind its coordinates. spells_boxes:
    whether answers have boxes.
    """

    region_tokens: bool = True
    spells_boxes: bool = True

    def write_region(
        self, region: Region, *, variant: Variant = "eval", meant: Box | Mask | None = None
    ) -> WrittenRegion:
        """Return a region as coordinates with the region token behind them, if there are such tokens.

        >>> from deixis.regions import Frame
        >>> FerretDialect().write_region(Box(10, 20, 300, 400).bind(Frame.original(640, 480))).text
        '[15, 41, 468, 833] <region_fea>'
        """
        written = pointed(region, variant=variant, segment=meant)
        if not self.region_tokens:
            return WrittenRegion(written.coordinates, None)
        return WrittenRegion(written.text, written.pixels)

    def write_box(self, box: Box) -> str:
        """Return a box as four numbers in a bracket; "" where answers have none.

        >>> from deixis.regions import Frame
        >>> FerretDialect().write_box(Box(10, 20, 300, 480, frame=Frame.original(640, 480)))
        '[15, 41, 468, 997]'
        """
        if not self.spells_boxes:
            return ""
        width, height = (round(side) for side in box.frame.size)
        edges = whole_pixels(box.as_tuple(), width=width, height=height)
        return coordinate_text(edges, width=width, height=height)

    def reader(self) -> PlaceText:
        """Return what reads boxes behind phrases, if there are any."""
        return BoxedPhraseReader() if self.spells_boxes else PlainReader()

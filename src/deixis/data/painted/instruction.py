"""A dialogue whose regions are painted on the picture, and what is painted for each."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.painting.sign import Sign
from deixis.painting.silhouette import Silhouette


@dataclass(frozen=True)
class PaintedRegion:
    """A region in pixels of the picture, and its sign."""

    silhouette: Silhouette
    sign: Sign


@dataclass(frozen=True)
class Instruction:
    """A dialogue about painted regions.

    turns: questions and answers; a question holds IMAGE where the picture is read. regions: what is painted,
    in this order. constant: rectangles and points are painted in one width.
    """

    turns: tuple[tuple[str, str], ...]
    regions: tuple[PaintedRegion, ...]
    constant: bool = False

"""How a system of the family writes places as text, and what a region of a question becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Box, Mask, Region

Variant = Literal["train", "eval"]
"""Whether a region is written for training, where the object that it points at is known, or for an answer."""


@dataclass(frozen=True)
class WrittenRegion:
    """A region as a prompt has it.

    text: words, coordinates, a region token. pixels: those of the original that the vector in the place of
    its region token is made of; None for a region that is nothing but text.
    """

    text: str
    pixels: RegionPixels | None


class Dialect(Protocol):
    """Regions and boxes as text; travels to loader workers."""

    def write_region(
        self, region: Region, *, variant: Variant = "eval", meant: Box | Mask | None = None
    ) -> WrittenRegion:
        """Return a region of an original picture as a question has it.

        meant: the object that it points at, for "train". FrameMismatch for a region of another frame.
        """
        ...

    def write_box(self, box: Box) -> str:
        """Return a box, in pixels of an original picture, as an answer has it behind a phrase."""
        ...

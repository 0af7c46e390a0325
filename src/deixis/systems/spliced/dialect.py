"""How a system of the family writes places as text, and what a region of a question becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from deixis.answers.reading.boxed_phrases import BoxedPhrase
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


class ReadText(Protocol):
    """What became certain of an answer: text without coordinates, and phrases that no further box joins."""

    @property
    def text(self) -> str:
        """Return the text."""
        ...

    @property
    def phrases(self) -> tuple[BoxedPhrase, ...]:
        """Return the phrases, with places in the answer's text."""
        ...


class PlaceText(Protocol):
    """Reads the text of one answer as it comes."""

    @property
    def boxes(self) -> int:
        """Return how many sound boxes were read so far."""
        ...

    @property
    def opened(self) -> int | None:
        """Return where in the raw text a place begins that is still being written, if one is."""
        ...

    @property
    def failures(self) -> tuple[str, ...]:
        """Return a sentence for everything malformed so far."""
        ...

    def add(self, text: str) -> ReadText:
        """Return what became certain by more text."""
        ...

    def drop(self) -> None:
        """Forget a place that is still being written, as if its beginning had not come."""
        ...

    def close(self) -> ReadText:
        """Return the rest."""
        ...


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
        """Return a box, in pixels of an original, as an answer has it behind a phrase; "" for none."""
        ...

    def reader(self) -> PlaceText:
        """Return what reads places back from the text of one answer."""
        ...

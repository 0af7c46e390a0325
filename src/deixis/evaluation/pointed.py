"""A question that points: words with names in braces, and for each name where it points.

A system is asked with ``text`` and ``regions``; the text that the published programs of the Ferret family
would send, and the pixels that they cover, can be had to check against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.answers.reading.dialects import REGION_TOKEN, fill_placeholders
from deixis.errors import BadRegion
from deixis.regions.frames import Frame
from deixis.regions.marked_pixels import region_pixels
from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Box, Mask, Point, Region


@dataclass(frozen=True)
class Pointing:
    """Where a name of a question points.

    steps: the thousandths that are written, x y or x0 y0 x1 y1. place: the same in pixels of the picture, not
    rounded. mask: the shape itself, where the box is only its bounds.
    """

    name: str
    steps: tuple[int, ...]
    place: tuple[float, ...]
    mask: Mask | None = None

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.place) or len(self.place) not in (2, 4):
            raise BadRegion(
                f"{self.name!r} points at {self.place} and writes {self.steps}; expected 2 numbers for a "
                "point or 4 for a box, as many written as meant"
            )

    def region(self, frame: Frame) -> Region:
        """Return the region in the picture of ``frame``, cut at its edges."""
        if self.mask is not None:
            return self.mask.bind(frame)
        if len(self.place) == 2:
            return Point(*self.place).clipped(frame)
        return Box(*self.place).clipped(frame)

    def pixels(self, *, width: int, height: int) -> RegionPixels:
        """Return the pixels that the published evaluation marks.

        A point marks 5 pixels to each side of it; a box has its last column and row inside, and only the
        shape's pixels where there is one. BadRegion where nothing is left.
        """
        shape = None if self.mask is None else self.mask.rasterise()
        return region_pixels(self.place, width=width, height=height, variant="eval", segment=shape)


@dataclass(frozen=True)
class PointedQuestion:
    """A question whose ``{names}`` are explained by ``pointings``, in the order of the text."""

    text: str
    pointings: tuple[Pointing, ...] = ()

    def regions(self, frame: Frame) -> dict[str, Region]:
        """Return the region of every name, for ``System.ask``."""
        return {pointing.name: pointing.region(frame) for pointing in self.pointings}

    def written(self, *, coordinates: bool = True, region_token: str | None = REGION_TOKEN) -> str:
        """Return the question as the published programs send it.

        coordinates: False leaves only the token. region_token: None leaves only the coordinates.

        >>> cup = Pointing("it", steps=(1, 2, 3, 4), place=(1.0, 2.0, 3.0, 4.0))
        >>> PointedQuestion("What is {it}?", (cup,)).written()
        'What is [1, 2, 3, 4] <region_fea>?'
        """
        texts = [(f"{{{one.name}}}", text_of(one.steps) if coordinates else "") for one in self.pointings]
        if region_token is None:
            return replaced(self.text, texts)
        return fill_placeholders(self.text, texts, region_token=region_token)[0]


def text_of(steps: Sequence[int]) -> str:
    """Return whole numbers in brackets.

    >>> text_of([1, 2])
    '[1, 2]'
    """
    return "[" + ", ".join(map(str, steps)) + "]"


def replaced(text: str, parts: Sequence[tuple[str, str]]) -> str:
    """Return a text in which every placeholder became what stands beside it."""
    for placeholder, part in parts:
        text = text.replace(placeholder, part)
    return text

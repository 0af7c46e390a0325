"""Coordinates in words, as models without regions of their own take and give them.

A frame says on which scale they are written, how many decimals are kept and which axis comes first. Edges are
continuous, from the picture's upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from deixis.errors import UsageError
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Region

MOST_DECIMALS = 6
MOST_POINTS = 32  # of a stroke or an outline that are written


@dataclass(frozen=True)
class WrittenFrame:
    """A scale of written coordinates.

    extent: what the whole side of a picture is; None for its pixels. words: how a prompt says it. decimals:
    how many are written; numbers are rounded to the nearest. y_first: y x y x, as some models have it.
    """

    name: str
    extent: float | None
    words: str
    decimals: int = 0
    y_first: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise UsageError(
                f"--decimals is {self.decimals}; expected a whole number from 0 to {MOST_DECIMALS}"
            )

    @property
    def box_pattern(self) -> str:
        """What a box is called in a prompt."""
        return "[y0, x0, y1, x1]" if self.y_first else "[x0, y0, x1, y1]"

    def sides(self, size: tuple[float, float]) -> tuple[float, float]:
        """Return what width and height of a picture of this size are on the scale."""
        return size if self.extent is None else (self.extent, self.extent)

    def written(self, xy: Sequence[float], size: tuple[float, float]) -> list[str]:
        """Return coordinates x y x y … in pixels of a picture of this size, as they are written.

        >>> FRAMES["thousandths"].written([10, 20, 320, 240], (640, 480))
        ['16', '42', '500', '500']
        """
        sides = self.sides(size)
        own = [f"{value * sides[n % 2] / size[n % 2]:.{self.decimals}f}" for n, value in enumerate(xy)]
        return [own[n ^ 1] for n in range(len(own))] if self.y_first else own

    def in_pixels(self, numbers: Sequence[float], size: tuple[float, float]) -> list[float]:
        """Return written numbers as x y x y … in pixels of a picture of this size.

        >>> FRAMES["unit"].in_pixels([0.25, 0.5, 1, 1], (640, 480))
        [160.0, 240.0, 640.0, 480.0]
        """
        sides = self.sides(size)
        own = [numbers[n ^ 1] for n in range(len(numbers))] if self.y_first else list(numbers)
        return [value * size[n % 2] / sides[n % 2] for n, value in enumerate(own)]

    def explained(self) -> str:
        """Return the frame for a protocol card."""
        order = "y before x" if self.y_first else "x before y"
        return f"{self.words}; {order}; {self.decimals} decimals, rounded to the nearest; continuous edges"


FRAMES = MappingProxyType(
    {
        frame.name: frame
        for frame in (
            WrittenFrame("pixels", None, "pixels of the picture"),
            WrittenFrame("unit", 1.0, "fractions of the picture's width and height", 3),
            WrittenFrame("percent", 100.0, "percent of the picture's width and height", 1),
            WrittenFrame("thousandths", 1000.0, "thousandths of the picture's width and height"),
            WrittenFrame(
                "thousandths_yx", 1000.0, "thousandths of the picture's height and width", y_first=True
            ),
        )
    }
)


def find_frame(name: str, *, decimals: int | None = None) -> WrittenFrame:
    """Return a frame by its name; decimals: others than its own. UsageError lists the known ones."""
    if name not in FRAMES:
        raise UsageError(f"--frame is {name!r:.40}; expected one of {', '.join(FRAMES)}")
    frame = FRAMES[name]
    if decimals is None:
        return frame
    return WrittenFrame(frame.name, frame.extent, frame.words, decimals, frame.y_first)


def write_region(region: Region, picture: Frame, frame: WrittenFrame) -> str:
    """Return a region in words: a box in brackets, a point in parentheses, strokes as a list of points.

    picture: the frame of the picture that it lies in. A mask is written as the box around it; of a longer
    stroke or outline ``MOST_POINTS`` points are written, evenly chosen.

    >>> write_region(Box(0, 0, 32, 24), Frame.original(64, 48), FRAMES["thousandths"])
    '[0, 0, 500, 500]'
    """
    own = region.clipped(picture)
    match own:
        case Point():
            return f"({', '.join(frame.written([own.x, own.y], picture.size))})"
        case Box() | Mask():
            return f"[{', '.join(frame.written(own.bounds().as_tuple(), picture.size))}]"
    step = max(1, -(-len(own.points) // MOST_POINTS))
    points = [frame.written(point, picture.size) for point in own.points[::step]]
    return "[" + ", ".join(f"({x}, {y})" for x, y in points) + "]"

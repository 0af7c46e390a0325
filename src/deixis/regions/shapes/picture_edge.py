"""What becomes of a region at the edge of its picture: cut there with a warning, an error when outside."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from deixis.errors import BadRegion, RegionClipped
from deixis.regions.frames import Frame

EDGE_SLACK = 1e-9  # share of a side that rounding may put outside of it


def outside(kind: str, told: str, frame: Frame, original: Frame) -> BadRegion:
    """Return the error for a region of that kind and coordinates that has no part in the picture."""
    return BadRegion(
        f"{kind} {told} in frame {frame} lies outside the picture {original}; are the coordinates in "
        "another frame (pixels, unit, thousandths)?"
    )


def warn_clipped(kind: str, told: str, original: Frame) -> None:
    """Warn that a region was cut at the picture's edge."""
    warnings.warn(
        f"{kind} {told} sticks out of the picture {original}; it was cut at its edge",
        RegionClipped,
        stacklevel=4,
    )


def told_numbers(numbers: Iterable[float]) -> str:
    """Return coordinates for a message.

    >>> told_numbers((1.0, 2.5))
    '(1, 2.5)'
    """
    return "(" + ", ".join(f"{number:g}" for number in numbers) + ")"

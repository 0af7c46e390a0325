"""What is a legal region, but hardly meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble


def frame_doubts(
    regions: Mapping[str, Region], picture: Frame, *, remedy: str = "Then say --frame unit"
) -> Iterator[str]:
    """Yield a warning for each region in pixels, or thousandths, whose coordinates look like fractions.

    remedy: what to do if they are.

    >>> from deixis.regions.shapes import Box
    >>> list(frame_doubts({"it": Box(0.1, 0.2, 0.5, 0.9)}, Frame.original(640, 480)))
    ['{it} has all its coordinates in 0..1, measured in pixels; are they fractions? Then say --frame unit']
    """
    for name, region in regions.items():
        if isinstance(region, Mask) or region.frame.kind == "unit" or min(picture.size) <= 2:
            continue
        numbers = coordinates(region)
        if isinstance(region, Point) and all(number.is_integer() for number in numbers):
            continue  # the first pixels are as good as any to point at
        if all(0 <= number <= 1 for number in numbers):
            yield (
                f"{{{name}}} has all its coordinates in 0..1, measured in {region.frame.kind}; "
                f"are they fractions? {remedy}"
            )


def coordinates(region: Point | Box | Polygon | Scribble) -> tuple[float, ...]:
    """Return the numbers that a region was given by."""
    if isinstance(region, Box):
        return region.as_tuple()
    if isinstance(region, Point):
        return region.x, region.y
    return tuple(number for point in region.points for number in point)

"""What the user points at, and the frames in which its coordinates are measured."""

from deixis.regions.frames import PIXELS, THOUSANDTHS, UNIT, Frame, convert
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

__all__ = [
    "Point",
    "Box",
    "Polygon",
    "Scribble",
    "Mask",
    "Region",
    "Frame",
    "PIXELS",
    "UNIT",
    "THOUSANDTHS",
    "convert",
]

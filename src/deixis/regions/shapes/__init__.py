"""What a user points at: point, box, polygon, scribble or mask, as values that check themselves.

Every region knows its frame. ``Box(10, 20, 110, 220)`` means pixels of the picture it will be asked about;
``Box(0.1, 0.2, 0.5, 0.9, frame=UNIT)`` fractions of it. ``bind`` ties a region to one picture, ``to`` carries
it to another frame of that picture, ``clipped`` cuts it at the picture's edge.
"""

from __future__ import annotations

from deixis.regions.shapes.box import Box
from deixis.regions.shapes.mask import Mask
from deixis.regions.shapes.outline import MOST_POINTS, Outline, Polygon, Scribble
from deixis.regions.shapes.picture_edge import told_numbers
from deixis.regions.shapes.point import Point

Region = Point | Box | Polygon | Scribble | Mask

__all__ = ["MOST_POINTS", "Box", "Mask", "Outline", "Point", "Polygon", "Region", "Scribble", "describe"]


def describe(region: Region | Outline) -> str:
    """Return the coordinates of a region, shortened for messages."""
    if isinstance(region, Mask):
        return f"of {region.area} pixels"
    if isinstance(region, Outline):
        return region.told
    return told_numbers(region.as_tuple() if isinstance(region, Box) else (region.x, region.y))

"""Regions carried to the picture that a network sees, which may be much smaller than the one pointed at."""

from __future__ import annotations

from deixis.errors import BadRegion
from deixis.regions.frames import Frame
from deixis.regions.shapes import Mask, Region


def carried(region: Region, frame: Frame) -> Region:
    """Return the region in another frame; a mask too small to have a pixel there becomes its box."""
    try:
        return region.to(frame)
    except BadRegion:
        if not isinstance(region, Mask):
            raise
        return region.bounds().to(frame)

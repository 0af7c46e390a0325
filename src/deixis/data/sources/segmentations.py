"""The field `segmentation` of COCO's format and its kin: outlines, or run lengths."""

from __future__ import annotations

import numpy as np

from deixis.errors import BadRegion, RecordError
from deixis.files.json_files import Fields
from deixis.regions.raster import fill_polygon
from deixis.regions.rle import LARGEST_MASK
from deixis.regions.shapes import Mask


def read_segmentation(row: Fields, *, width: int, height: int) -> Mask | None:
    """The pixels of a picture of that size that an annotation's outlines or run lengths cover.

    None where there are none; RecordError names the outline that is wrong.
    """
    value, where = row.values.get("segmentation"), f"{row.where}: field 'segmentation'"
    if not value:
        return None
    if isinstance(value, dict):
        try:
            mask = Mask.from_coco(value)
        except BadRegion as fault:
            raise RecordError(f"{where}: {fault}") from fault
        if (mask.width, mask.height) != (width, height):
            size = f"{width} x {height}"
            raise RecordError(f"{where}: mask is {mask.width} x {mask.height} pixels, its picture is {size}")
        return mask
    if not isinstance(value, list):
        raise RecordError(
            f"{where}: is {value!r:.80}; expected outlines [[x, y, x, y, ...], ...] or run lengths"
        )
    if width * height > LARGEST_MASK:
        raise RecordError(
            f"{where}: its picture has {width} x {height} pixels; masks of at most {LARGEST_MASK:,} are made"
        )
    pixels = np.zeros((height, width), dtype=bool)
    for outline in _outlines(value, where=where):
        pixels |= fill_polygon(outline, width, height)
    return Mask.from_array(pixels) if pixels.any() else None


def _outlines(value: list[object], *, where: str) -> list[list[tuple[float, float]]]:
    outlines = []
    for index, flat in enumerate(value):
        if not isinstance(flat, list) or len(flat) < 6 or len(flat) % 2:
            raise RecordError(
                f"{where}: outline {index} is {flat!r:.80}; expected x, y of three points or more"
            )
        numbers = Fields({"points": flat}, f"{where}: outline {index}").numbers("points", count=len(flat))
        outlines.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return outlines

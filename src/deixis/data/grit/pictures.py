"""The pictures of records: found, opened upright, and the record carried to the upright one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from deixis.data.grit.records import GritPlace, GritRecord
from deixis.data.opening import orientation_of, stored_size, turned_edges, turned_mask
from deixis.errors import BadPicture, BadRegion, RecordError
from deixis.files.json_files import below
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture
from deixis.regions.shapes import Mask

ENDINGS = ("", ".gif", ".jpg", ".jpeg", ".png")
ESCAPED = re.compile(r"#U([0-9a-fA-F]{4})")
NO_PICTURE = 336  # side of the black picture that a dialogue without one gets


def open_record(
    record: GritRecord, images: Path, *, max_pixels: int = LARGEST_PIXELS
) -> tuple[Picture, GritRecord]:
    """The upright picture of a record (a black one for a dialogue without), and the record in its pixels.

    max_pixels: how large it may be. RecordError where the picture is not usable.
    """
    if record.picture is None:
        width, height = record.width or NO_PICTURE, record.height or NO_PICTURE
        return open_picture(np.zeros((height, width, 3), dtype=np.uint8)), record
    path = find_picture(record.picture, images, where=record.where)
    try:
        picture = open_picture(path, max_pixels=max_pixels)
    except BadPicture as fault:
        raise RecordError(f"{record.where}: {fault}") from fault
    orientation = orientation_of(path, max_pixels=max_pixels)
    stored = stored_size((picture.width, picture.height), orientation)
    turned = orientation != 1 and (record.width, record.height) == stored
    return picture, turned_record(record, orientation) if turned else record


def turned_record(record: GritRecord, orientation: int) -> GritRecord:
    """A record in pixels of a stored picture, carried to the upright one."""
    width, height = stored_size(record.size, orientation)

    def turned(place: GritPlace) -> GritPlace:
        # The last column and row are part of a box: edge x of width becomes width - 1 - x.
        box = turned_edges(place.box, orientation, width=width - 1, height=height - 1)
        try:
            mask = None if place.runs is None else Mask.from_coco(dict(place.runs))
        except BadRegion:  # empty or wrong: reading it says so
            return GritPlace(box, place.runs)
        if mask is None or (mask.width, mask.height) != record.size:  # another size: reading it says so
            return GritPlace(box, place.runs)
        return GritPlace(box, turned_mask(mask, orientation).to_coco())

    turns = tuple(replace(turn, places=tuple(map(turned, turn.places))) for turn in record.turns)
    return replace(record, width=width, height=height, turns=turns)


def find_picture(name: str, images: Path, *, where: str) -> Path:
    """The file of a picture, whose ending may be missing and whose letters may be escaped as #U00e3."""
    plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)
    for candidate in dict.fromkeys(text + ending for text in (name, plain) for ending in ENDINGS):
        if (path := below(images, candidate, where=where)).is_file():
            return path
    raise RecordError(
        f"{where}: there is no picture {name!r} in {images}, with or without {', '.join(ENDINGS[1:])}"
    )

"""Cutting pictures: one piece, or a grid of tiles; every piece knows where it was."""

from __future__ import annotations

from deixis.errors import BadPicture
from deixis.pictures.opening import Picture


def crop(picture: Picture, x0: int, y0: int, x1: int, y1: int) -> Picture:
    """Return the pixels from column x0 to x1 and row y0 to y1 (ends not included)."""
    check_inside(picture, x0, y0, x1, y1)
    return Picture(picture.pixels[y0:y1, x0:x1], picture.frame.cropped(x0, y0, x1, y1), picture.name)


def tile(picture: Picture, columns: int, rows: int) -> list[Picture]:
    """Return columns x rows tiles of equal size, row by row, each in its own frame.

    >>> import numpy as np
    >>> from deixis.pictures.opening import open_picture
    >>> [str(t.frame) for t in tile(open_picture(np.zeros((4, 8, 3), dtype=np.uint8)), 2, 1)]
    ['tile 0 4x4', 'tile 1 4x4']
    """
    if columns < 1 or rows < 1 or picture.width % columns or picture.height % rows:
        raise BadPicture(
            f"a picture of {picture.width} x {picture.height} can't be cut into {columns} x {rows} equal "
            "tiles; "
            "resize or pad it first"
        )
    width, height = picture.width // columns, picture.height // rows
    tiles = []
    for number in range(columns * rows):
        x0, y0 = number % columns * width, number // columns * height
        frame = picture.frame.tile(number, x0, y0, x0 + width, y0 + height)
        tiles.append(Picture(picture.pixels[y0 : y0 + height, x0 : x0 + width], frame, picture.name))
    return tiles


def check_inside(picture: Picture, x0: int, y0: int, x1: int, y1: int) -> None:
    """Raise BadPicture unless the cut has pixels and lies inside."""
    if not (0 <= x0 < x1 <= picture.width and 0 <= y0 < y1 <= picture.height):
        raise BadPicture(
            f"cut ({x0}, {y0}, {x1}, {y1}) is not inside {picture.width} x {picture.height} pixels"
        )

"""Putting a picture on a larger canvas."""

from __future__ import annotations

import numpy as np

from deixis.errors import BadPicture
from deixis.pictures.opening import Picture
from deixis.pictures.resizing import Order, fitted_size, resize

GREY = (128, 128, 128)


def pad(
    picture: Picture, width: int, height: int, *, left: int, top: int, fill: tuple[int, int, int] = GREY
) -> Picture:
    """Return a canvas of ``width`` x ``height`` with the picture at ``left``, ``top``."""
    if left < 0 or top < 0 or left + picture.width > width or top + picture.height > height:
        raise BadPicture(
            f"a picture of {picture.width} x {picture.height} at ({left}, {top}) doesn't fit a canvas of "
            f"{width} x {height}"
        )
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    pixels[:] = fill
    pixels[top : top + picture.height, left : left + picture.width] = picture.pixels
    return Picture(pixels, picture.frame.padded(width, height, left=left, top=top), picture.name)


def letterbox(
    picture: Picture, side: int, *, fill: tuple[int, int, int] = GREY, order: Order = "width_first"
) -> Picture:
    """Return the whole picture, proportions kept, in the middle of a square of ``side`` pixels.

    >>> from deixis.pictures.opening import open_picture
    >>> letterbox(open_picture(np.zeros((10, 20, 3), dtype=np.uint8)), 8).frame.offset
    (0, 2)
    """
    width, height = fitted_size(picture.width, picture.height, side)
    resized = resize(picture, width, height, order=order)
    return pad(resized, side, side, left=(side - width) // 2, top=(side - height) // 2, fill=fill)


def pad_to_square(picture: Picture, *, fill: tuple[int, int, int] = GREY) -> Picture:
    """Return the picture in the middle of a square as large as its longer side.

    >>> from deixis.pictures.opening import open_picture
    >>> pad_to_square(open_picture(np.zeros((10, 21, 3), dtype=np.uint8))).frame.offset
    (0, 5)
    """
    side = max(picture.width, picture.height)
    left, top = (side - picture.width) // 2, (side - picture.height) // 2
    return pad(picture, side, side, left=left, top=top, fill=fill)

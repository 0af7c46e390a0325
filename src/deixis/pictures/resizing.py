"""Resizing, by one rule whose result is the same whatever Pillow is installed.

Pillow resizes one axis, rounds to uint8, and resizes the other. Which axis comes first changed in Pillow 13;
since the result depends on it, the order is stated here and each pass is asked for alone.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.opening import LARGEST_PIXELS, Picture

Order = Literal["width_first", "pillow13"]


def resize(
    picture: Picture,
    width: int,
    height: int,
    *,
    order: Order = "width_first",
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Picture:
    """Return the picture at another size, with its frame.

    order: "width_first" is every Pillow before 13 and what released weights were trained with; "pillow13"
    takes the height first where that is cheaper.

    >>> from deixis.pictures.opening import open_picture
    >>> resize(open_picture(np.zeros((4, 8, 3), dtype=np.uint8)), 4, 2).frame.scale
    (0.5, 0.5)
    """
    pixels = resize_pixels(picture.pixels, width, height, order=order, resample=resample)
    return Picture(pixels, picture.frame.resized(width, height), picture.name)


def resize_pixels(
    pixels: NDArray[np.uint8],
    width: int,
    height: int,
    *,
    order: Order = "width_first",
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> NDArray[np.uint8]:
    """Return pixels (h, w, 3) uint8 at (height, width, 3)."""
    if width < 1 or height < 1 or width * height > LARGEST_PIXELS:
        raise BadPicture(f"cannot resize to {width} x {height}: expected 1 to {LARGEST_PIXELS:,} pixels")
    own_height, own_width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    first, second = (width, own_height), (width, height)
    if order == "pillow13" and own_height - height > max(0, 2 * (own_width - width)):
        first = (own_width, height)
    elif order not in ("width_first", "pillow13"):
        raise ValueError(f"order is 'width_first' or 'pillow13'; got {order!r}")
    # A pass that changes nothing is skipped by Pillow itself.
    return np.asarray(image.resize(first, resample).resize(second, resample))


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size with the same proportions whose longer side is ``side``.

    >>> fitted_size(400, 200, 192)
    (192, 96)
    """
    scale = side / max(width, height)
    return max(round(width * scale), 1), max(round(height * scale), 1)

"""Resizing as OpenCV's INTER_LINEAR does it, to the last bit, without OpenCV.

Two neighbours on each axis, whatever the scale: made smaller, a picture loses what lies between them, as the
pictures did that Groma's weights were trained with. OpenCV computes with eleven bits of weight and cuts off
bits between its two passes; halving both sides takes the mean of four pixels instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadPicture
from deixis.pictures.opening import LARGEST_PIXELS, Picture

WEIGHT = 1 << 11
Window = tuple[int, int, int, int]
"""Left, top, width and height of a part of a resized picture."""


def resize_linear(picture: Picture, width: int, height: int) -> Picture:
    """Return the picture at another size, with its frame."""
    pixels = linear_pixels(picture.pixels, width, height)
    return Picture(pixels, picture.frame.resized(width, height), picture.name)


def linear_pixels(
    pixels: NDArray[np.uint8], width: int, height: int, *, window: Window | None = None
) -> NDArray[np.uint8]:
    """Return pixels (h, w, 3) uint8 at (height, width, 3), or only a window of these.

    >>> linear_pixels(np.array([[[0] * 3, [200] * 3]], dtype=np.uint8), 4, 1)[0, :, 0].tolist()
    [0, 50, 150, 200]
    """
    if width < 1 or height < 1 or width * height > LARGEST_PIXELS:
        raise BadPicture(f"cannot resize to {width} x {height}: expected 1 to {LARGEST_PIXELS:,} pixels")
    own_height, own_width = pixels.shape[:2]
    x, y, wide, high = (0, 0, width, height) if window is None else window
    columns, rows_seen = slice(x, x + wide), slice(y, y + high)
    if (own_width, own_height) == (width, height):
        return pixels[rows_seen, columns].copy()
    if (own_width, own_height) == (2 * width, 2 * height):
        seen = pixels[2 * y : 2 * (y + high), 2 * x : 2 * (x + wide)]
        fours = seen.reshape(high, 2, wide, 2, -1).astype(np.int32).sum(axis=(1, 3))
        return ((fours + 2) >> 2).astype(np.uint8)
    left, right, near, far = (one[columns] for one in neighbours(own_width, width, whole_at_edges=True))
    # Beyond its edges a picture goes on with its last row, weighed twice: that rounds otherwise than once.
    upper, lower, above, below = (
        one[rows_seen] for one in neighbours(own_height, height, whole_at_edges=False)
    )
    used, place = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    rows = pixels[used].astype(np.int32)
    across = rows[:, left] * near[:, None] + rows[:, right] * far[:, None]  # (rows, width, 3), 11 bits more
    across >>= 4
    above, below = above[:, None, None], below[:, None, None]
    first, second = across[place[: len(upper)]], across[place[len(upper) :]]
    return ((((above * first) >> 16) + ((below * second) >> 16) + 2) >> 2).astype(np.uint8)


def neighbours(
    own: int, wanted: int, *, whole_at_edges: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return which two pixels of ``own`` each of ``wanted`` is made of, and their weights in 1/2048.

    whole_at_edges: where one of the two lies outside, the other counts alone.
    """
    at = ((np.arange(wanted) + 0.5) * (own / wanted) - 0.5).astype(np.float32)
    first = np.floor(at).astype(np.int64)
    share = (at - first).astype(np.float32)
    if whole_at_edges:
        share[(first < 0) | (first >= own - 1)] = 0
    near, far = (
        np.rint(part * np.float32(WEIGHT)).astype(np.int32) for part in (np.float32(1) - share, share)
    )
    return first.clip(0, own - 1), (first + 1).clip(0, own - 1), near, far

"""Masks kept as pictures: which pixels belong to the region."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion
from deixis.pictures.opening import LARGEST_PIXELS, Upright, has_transparency, open_upright

MOST_LABELS = 16  # of 8 bits; a mask with more values is one with soft edges


def open_mask(source: Any, *, max_pixels: int = LARGEST_PIXELS, name: str = "mask") -> NDArray[np.bool_]:
    """Return the pixels (H, W) that belong to the region of a mask: a path, bytes or a Pillow image.

    Where some of it is transparent, what is opaque belongs; else what is white. In a mask of labels, which
    has few values and none near white (or integers of more than 8 bits, far from white), all that isn't 0
    belongs. BadRegion where that leaves doubt.

    >>> from PIL import Image
    >>> open_mask(Image.fromarray(np.array([[0, 1, 0]], np.uint8))).tolist()
    [[False, True, False]]
    """
    upright = open_upright(source, max_pixels=max_pixels, name=name)
    image = upright.image
    if has_transparency(image):
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() < 255:
            return belonging(alpha, white=255, name=name)
    if image.mode == "F":
        raise BadRegion(f"mask {name} holds floats; expected 0 and 255")
    if image.mode.startswith("I"):
        return deep(upright, name=name)
    return belonging(np.asarray(image.convert("RGB")).max(axis=2), white=255, name=name)


def deep(upright: Upright, *, name: str) -> NDArray[np.bool_]:
    """Return what belongs by integers of more than 8 bits."""
    values = np.asarray(upright.image)
    if upright.white is None or int(values.max()) * 4 < upright.white:
        return np.asarray(values != 0)
    return belonging(values, white=upright.white, name=name)


def belonging(levels: NDArray[Any], *, white: int, name: str) -> NDArray[np.bool_]:
    """Return what belongs by levels from 0 to white; BadRegion where they are neither black nor white."""
    lowest, highest = int(levels.min()), int(levels.max())
    if highest * 32 < white * 31 and len(np.unique(levels)) <= MOST_LABELS:
        return np.asarray(levels > 0)
    if is_flat(levels, lowest=lowest, highest=highest):
        return np.asarray(levels > 0)
    if lowest * 4 > white or highest * 4 <= white * 3:
        raise BadRegion(
            f"mask {name} has many grey levels, from {lowest} to {highest}; expected 0 and {white}"
        )
    return np.asarray(levels > white // 2)


def is_flat(levels: NDArray[Any], *, lowest: int, highest: int) -> bool:
    """Return whether there are no levels but the lowest and the highest."""
    return bool(((levels == lowest) | (levels == highest)).all())

"""Masks kept as pictures: which pixels belong to the region."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import BadRegion
from deixis.pictures.decoding import LARGEST_PIXELS, Upright, open_upright
from deixis.pictures.depth import GREY_WITH_ALPHA, lower_bytes
from deixis.pictures.opening import has_transparency, to_rgba

WIDE_WHITE = 65535
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
    source = still_encoded(source)
    upright = open_upright(source, max_pixels=max_pixels, name=name)
    image = upright.image
    if upright.cut is not None:
        lower = open_upright(source, max_pixels=max_pixels, name=name, low=True)
        return of_wide_colours(upright, lower, name=name)
    if has_transparency(image):
        alpha = np.asarray(to_rgba(image).getchannel("A"))
        if alpha.min() < 255:
            return belonging(alpha, white=255, name=name)
    if upright.bits > 8 and not image.mode.startswith("I"):
        check_white(image, bits=upright.bits, name=name)
    if image.mode == "F":
        raise BadRegion(f"mask {name} holds floats; expected 0 and 255")
    if image.mode.startswith("I"):
        return deep(upright, name=name)
    if image.mode == "LAB":  # black in it is no black in RGB, for it is rounded on the way
        return belonging(np.asarray(image.getchannel("L")), white=255, name=name)
    if image.mode == "La":
        image = image.convert("LA")
    return of_colours(np.asarray(image.convert("RGB")), white=255, name=name)


def check_white(image: Image.Image, *, bits: int, name: str) -> None:
    """Raise BadRegion where labels may be lost: lower bits are gone, and nothing is near white."""
    if int(np.asarray(image.convert("RGB")).max()) * 32 < 255 * 31:
        raise BadRegion(
            f"mask {name} has {bits} bits a colour and nothing near white, and of its format the lower ones "
            "aren't read: small labels would be lost. Save it as PNG"
        )


def still_encoded(source: Any) -> Any:
    """Return the file of a Pillow image that isn't decoded yet and will lose bits, else the source."""
    if isinstance(source, Image.Image) and lower_bytes(source) is not None:
        stream = getattr(source, "fp", None)
        if stream is not None:
            stream.seek(0)
            return stream.read()
    return source


def of_wide_colours(upper: Upright, lower: Upright, *, name: str) -> NDArray[np.bool_]:
    """Return what belongs by colours of 16 bits, of which two images have 8 each."""
    low = np.asarray(lower.image).astype(np.uint16)
    if upper.cut == GREY_WITH_ALPHA:
        values = low[..., ::2] * 256 + low[..., 1::2]  # (H, W, grey and alpha)
    else:
        values = np.asarray(upper.image).astype(np.uint16) * 256 + low  # (H, W, 3 or 4)
    count = 1 if upper.cut == GREY_WITH_ALPHA else 3
    colours, alpha = values[..., :count], values[..., count:]
    clear = upper.image.info.get("transparency")
    if isinstance(clear, tuple) and len(clear) == count:
        return np.asarray((colours != np.array(clear)).any(axis=2))
    if upper.image.mode == "RGBA" and alpha.min() < WIDE_WHITE:
        return belonging(alpha[..., 0], white=WIDE_WHITE, name=name)
    if int(colours.max()) * 4 < WIDE_WHITE:
        return np.asarray((colours != 0).any(axis=2))
    return of_colours(colours, white=WIDE_WHITE, name=name)


def of_colours(colours: NDArray[Any], *, white: int, name: str) -> NDArray[np.bool_]:
    """Return what belongs by colours (H, W, C), where their brightest channel tells it."""
    levels = colours.max(axis=2)
    if levels.min() == levels.max() and (colours != colours[0, 0]).any():
        raise BadRegion(
            f"mask {name} has several colours and all are as bright, {levels.max()} of {white}; expected "
            "black for what doesn't belong"
        )
    return belonging(levels, white=white, name=name)


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

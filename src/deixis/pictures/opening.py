"""Pictures from paths, bytes, Pillow images and arrays, upright, in RGB, within bounds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.decoding import (
    LARGEST_FILE,
    LARGEST_PIXELS,
    Upright,
    check_size,
    known_formats,
    open_upright,
    reported,
)
from deixis.pictures.depth import as_bytes
from deixis.pictures.picture import Decoded, Picture, digest_of, frame_of, wrap

# Pictures of more pixels aren't kept as Pillow's image as well: it takes 4 bytes a pixel, the array 3.
KEPT_TWICE = 4_000_000

__all__ = [
    "LARGEST_FILE",
    "LARGEST_PIXELS",
    "Picture",
    "check_size",
    "digest_of",
    "known_formats",
    "open_picture",
]


def open_picture(source: Any, *, max_pixels: int = LARGEST_PIXELS, name: str = "") -> Picture:
    """Return a picture in its original frame.

    source: a path, encoded bytes, a Pillow image, an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of
    uint8, uint16, bool or floats in 0..1, or a Picture. The EXIF orientation is applied, transparency is
    laid over white, 12- and 16-bit grey is scaled to 8 bits, 32-bit grey is refused, and of an animation
    the first frame counts.
    Raises BadPicture for anything else, and before decoding for more than ``max_pixels``.

    >>> open_picture(np.zeros((2, 3), dtype=np.uint8)).frame.size
    (3, 2)
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return from_array(source, max_pixels=max_pixels, name=name)
    upright = open_upright(source, max_pixels=max_pixels, name=name)
    return from_upright(upright, name=name or name_of(source))


def name_of(source: Any) -> str:
    """Return what a picture is called that was given no name."""
    if isinstance(source, Image.Image):
        return ""
    return Path(source).name if isinstance(source, str | os.PathLike) else "bytes"


def from_upright(upright: Upright, *, name: str) -> Picture:
    """Return a picture of a Pillow image that was decoded and turned."""
    with reported(max_pixels=0, name=name or "image"):
        image = to_rgb(upright.image, white=upright.white, name=name or "image")
    pixels = np.asarray(image)
    pixels.setflags(write=False)  # or the two could come to differ
    decoded = Decoded(image, pixels) if image.width * image.height <= KEPT_TWICE else None
    return Picture(pixels, frame_of(pixels), name, decoded)


def has_transparency(image: Image.Image) -> bool:
    """Return whether some of an image may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def to_rgb(image: Image.Image, *, white: int | None, name: str) -> Image.Image:
    """Return the image in RGB, transparency laid over white."""
    if image.mode == "F":
        raise BadPicture(f"picture {name!r} holds floats; scale them to 0..255 and give an array")
    if image.mode.startswith("I"):
        return Image.fromarray(as_bytes(np.asarray(image), white=white, name=name)).convert("RGB")
    if has_transparency(image):
        with_alpha = to_rgba(image)
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, with_alpha).convert("RGB")
    return image.convert("RGB")


def to_rgba(image: Image.Image) -> Image.Image:
    """Return the image in RGBA."""
    if image.mode == "La":  # Pillow takes this way only in two steps
        image = image.convert("LA")
    return image.convert("RGBA")


def from_array(array: NDArray[Any], *, max_pixels: int, name: str) -> Picture:
    """Check an array's shape and type and bring it to uint8 RGB."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise BadPicture(
            "an array picture is (height, width) or (height, width, 1, 3 or 4 channels); got shape "
            f"{array.shape}"
        )
    check_size(array.shape[1], array.shape[0], max_pixels=max_pixels, name=name or "array")
    if array.dtype == np.uint16:
        array = np.round(array / 257).astype(np.uint8)
    elif array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise BadPicture("an array of floats must lie in 0..1, without NaN; or give uint8")
        array = np.round(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise BadPicture(f"an array picture is uint8, uint16, bool or float; got {array.dtype}")
    if array.shape[2] == 4:
        return wrap(np.asarray(to_rgb(Image.fromarray(array, "RGBA"), white=255, name=name)), name=name)
    return wrap(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array, name=name)

"""Encoded pictures as Pillow images: within bounds, upright, in the mode of their file."""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from deixis.errors import BadPicture
from deixis.pictures.depth import LowerBytes, is_inverted, lower_bytes, stated_bits, white_of
from deixis.pictures.headers import check_tiles, inspected

LARGEST_PIXELS = 100_000_000
LONGEST_SIDE = 1_000_000
LARGEST_FILE = 1 << 30
LIMIT = threading.Lock()  # for who moves Pillow's own
# Formats that hold pixels and nothing that could run.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000", "TGA", "ICO")
# More of them, which Pillow reads once a package such as pillow-heif has registered its opener.
REGISTERED = ("HEIF", "HEIC", "JXL")
# How an image is turned that was stored with an EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Upright:
    """A Pillow image turned upright, in the mode of its file.

    white: the value of white in it; None where its file doesn't say (32-bit integers, floats).
    cut: how the file has its colours, where they have 16 bits and Pillow keeps the upper 8 of them.
    bits: of a colour in the file, where its decoder gives the upper 8 of them and nothing else.
    """

    image: Image.Image
    white: int | None
    cut: str | None = None
    bits: int = 8


def open_upright(source: Any, *, max_pixels: int, name: str = "", low: bool = False) -> Upright:
    """Return the image of a path, encoded bytes or a Pillow image, decoded and upright.

    low: of colours that have 16 bits (`Upright.cut`), the lower 8 in place of the upper.
    """
    if isinstance(source, Image.Image):
        with reported(max_pixels=max_pixels, name=name or "image"):  # it may not be decoded yet
            return turned(source, max_pixels=max_pixels, name=name, low=low)
    if isinstance(source, bytes | bytearray | memoryview):
        return decode(io.BytesIO(bytes(source)), max_pixels=max_pixels, name=name or "bytes", low=low)
    if isinstance(source, str | os.PathLike):
        return from_path(source, max_pixels=max_pixels, name=name, low=low)
    raise BadPicture(
        f"cannot open a {type(source).__name__} as a picture; expected a path, bytes, a Pillow image or "
        "an array"
    )


def from_path(source: str | os.PathLike[str], *, max_pixels: int, name: str, low: bool) -> Upright:
    """Open a file."""
    if str(source).startswith(("http:/", "https:/")):  # a Path has one slash of two
        raise BadPicture(f"{source} is an address; download the picture and give its path or bytes")
    if not os.path.isfile(source):  # unlike Path.is_file, also False for a name too long to be one
        raise BadPicture(f"there is no picture file {str(source)[:200]!r}")
    path = Path(source)
    if path.stat().st_size > LARGEST_FILE:
        raise BadPicture(f"{path} has {path.stat().st_size:,} bytes; at most {LARGEST_FILE:,} are read")
    try:
        stream = path.open("rb")
    except OSError as fault:
        raise BadPicture(f"picture file {str(path)!r} cannot be read: {fault.strerror}") from fault
    with stream:
        return decode(stream, max_pixels=max_pixels, name=name or path.name, low=low)


def decode(stream: IO[bytes], *, max_pixels: int, name: str, low: bool) -> Upright:
    """Open an encoded picture."""
    check = partial(check_size, max_pixels=max_pixels, name=name)
    with reported(max_pixels=max_pixels, name=name):
        stream = inspected(stream, check=check, name=name)
        bits = stated_bits(stream)
        with allowed(max_pixels), Image.open(stream, formats=known_formats()) as image:
            return replace(turned(image, max_pixels=max_pixels, name=name, low=low), bits=bits)


@contextmanager
def allowed(max_pixels: int) -> Iterator[None]:
    """Let Pillow open pictures of so many pixels, where somebody asked for more than the default."""
    if max_pixels <= LARGEST_PIXELS:
        yield
        return
    with LIMIT:  # Pillow's limit is one for the whole program
        own = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = own if own is None else max(own, max_pixels)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = own


@contextmanager
def reported(*, max_pixels: int, name: str) -> Iterator[None]:
    """Turn what Pillow raises while it opens and decodes into BadPicture."""
    try:
        with warnings.catch_warnings():
            # Pillow warns above its own limit; ours is checked before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except BadPicture:
        raise
    except Image.DecompressionBombError as fault:
        raise BadPicture(
            f"picture {name!r} is too large: at most {max_pixels:,} pixels are decoded, fewer where "
            "PIL.Image.MAX_IMAGE_PIXELS is lower (max_pixels raises the limit; on the command line "
            "--max-pixels)"
        ) from fault
    except UnidentifiedImageError as fault:
        raise BadPicture(
            f"{name!r} is not a picture in a known format ({', '.join(known_formats())}; HEIC and AVIF where "
            "an opener is registered with Pillow, such as pillow-heif's)"
        ) from fault
    except Exception as fault:  # decoders raise errors of many kinds where bytes make no sense
        raise BadPicture(f"picture {name!r} is damaged or cut: {fault}") from fault


def known_formats() -> list[str]:
    """Return the formats that the installed Pillow can read; it has no patience with others."""
    Image.init()
    return [name for name in (*FORMATS, *REGISTERED) if name in Image.OPEN]


def turned(image: Image.Image, *, max_pixels: int, name: str, low: bool) -> Upright:
    """Decode a Pillow image, the first frame of an animation, and turn it upright."""
    check_size(image.width, image.height, max_pixels=max_pixels, name=name)
    check_tiles(image, max_pixels=max_pixels, name=name)
    if getattr(image, "is_animated", False):
        image.seek(0)
    lower = lower_bytes(image)
    if low and lower is not None:
        set_tiles(image, lower)
    image.load()
    white, inverted, turn = white_of(image), is_inverted(image), TURNS.get(orientation_of(image))
    if turn is not None:
        image = image.transpose(turn)
    if inverted:
        image = Image.fromarray((white or 0) - np.asarray(image).astype(np.uint16))
    return Upright(image, white, cut=None if lower is None else lower.stored)


def set_tiles(image: Any, lower: LowerBytes) -> None:
    """Have an image that isn't decoded yet decode the lower bytes of its colours."""
    image._mode, image.tile = lower.mode, lower.tiles


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation; 1, which is upright, where there is none or it can't be read."""
    try:
        orientation = image.getexif().get(0x0112)
    except Exception:  # as many kinds of errors as there are ways to damage EXIF
        return 1
    return orientation if isinstance(orientation, int) else 1


def check_size(width: int, height: int, *, max_pixels: int, name: str) -> None:
    """Raise BadPicture for a picture without pixels or with too many."""
    if width < 1 or height < 1:
        raise BadPicture(f"picture {name!r} has {width} x {height} pixels; expected at least one")
    if width * height > max_pixels:
        raise BadPicture(
            f"picture {name!r} has {width} x {height} = {width * height:,} pixels; at most {max_pixels:,} "
            "are decoded (max_pixels raises the limit; on the command line --max-pixels)"
        )
    if max(width, height) > LONGEST_SIDE:  # rows cost memory of their own
        raise BadPicture(
            f"picture {name!r} has {width} x {height} pixels; a side is at most {LONGEST_SIDE:,}, whatever "
            "max_pixels is; cut it into pieces"
        )

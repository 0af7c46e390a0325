"""Grey of more than 8 bits: how bright white is in it, and its values as bytes. Colours of 16 bits."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import BadPicture

# Pillow keeps 16-bit grey of these formats in 32-bit integers, always or in older versions.
WIDENED = ("PNG", "PPM")
BITS, PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0  # of TIFF


def white_of(image: Image.Image) -> int | None:
    """Return the value of white in an image as it was opened; None where its file doesn't say.

    16-bit grey is 65535 where it is white, 12-bit grey (in TIFF) 4095. Integers of 32 bits have no white:
    what is bright in them only their maker knows.
    """
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(BITS, 16)
        bits = bits[0] if isinstance(bits, tuple) else bits
        return (1 << bits) - 1 if isinstance(bits, int) and 8 <= bits <= 16 else 65535
    if image.mode == "I":
        return 65535 if image.format in WIDENED else None
    return None if image.mode == "F" else 255


def is_inverted(image: Image.Image) -> bool:
    """Return whether 0 is white in deep grey of TIFF, which Pillow turns round in other modes only."""
    return image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(PHOTOMETRIC, 1) == WHITE_IS_ZERO


def as_bytes(values: NDArray[Any], *, white: int | None, name: str) -> NDArray[np.uint8]:
    """Return grey values as uint8, white as 255; BadPicture where nobody knows what white is.

    >>> as_bytes(np.array([0, 2048, 4095]), white=4095, name="scan").tolist()
    [0, 128, 255]
    """
    if white is None:
        raise BadPicture(
            f"picture {name!r} holds 32-bit integers, and nothing says which of them is white; give an array "
            "of uint8, uint16 or of floats in 0..1"
        )
    # Of 65535 that is the value divided by 257.
    return np.clip(np.round(values.astype(np.int64) / (white / 255)), 0, 255).astype(np.uint8)


GREY_WITH_ALPHA = "LA;16B"
WIDE = ("RGB;16", "RGBA;16", "RGBX;16")
# Colours of 16 bits as Pillow names their order in a file -> the order in which it takes the other byte.
OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


@dataclass(frozen=True)
class LowerBytes:
    """How Pillow decodes the lower bytes of colours of 16 bits, of which it keeps the upper ones.

    stored: Pillow's name for how the file has them. mode, tiles: what to set in the image.
    """

    stored: str
    mode: str
    tiles: list[tuple[Any, ...]]


def lower_bytes(image: Image.Image) -> LowerBytes | None:
    """Return how to decode the lower bytes; None where colours have 8 bits, or are decoded already.

    Grey with alpha becomes RGBA of four bytes: upper and lower of the grey, then of the alpha.
    """
    stored, mode, tiles = "", image.mode, []
    for tile in getattr(image, "tile", None) or []:
        codec, extents, offset, options = tile
        stored, *rest = options if isinstance(options, tuple) else (options,)
        if codec == "ppm" and stored == "RGB" and rest[0] > 255:
            other, rest = stored, [256]  # what white is: no value is rounded to 0 then
        elif stored == GREY_WITH_ALPHA:
            mode = other = "RGBA"
        elif isinstance(stored, str) and stored[:-1] in WIDE:
            other = stored[:-1] + OTHER_ORDER[stored[-1]]
        else:
            return None
        entry = (codec, extents, offset, (other, *rest) if isinstance(options, tuple) else other)
        tiles.append(tile._make(entry) if hasattr(tile, "_make") else entry)  # a plain tuple in older Pillows
    return LowerBytes(stored, mode, tiles) if tiles else None


HEADERS = 1 << 20  # bytes of a file in which it says how deep its colours are
JPEG2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
CODE_STREAM = b"\xff\x4f\xff\x51"  # of JPEG 2000; the size of the picture comes next
AV1, CHANNELS = b"av1C", b"pixi"


def stated_bits(stream: IO[bytes]) -> int:
    """Return how many bits a colour has in a JPEG 2000, AVIF or HEIF file; 8 of files of other kinds.

    Pillow keeps the upper 8 of them, except in grey JPEG 2000. The stream is left at its beginning.
    """
    start = stream.read(12)
    stream.seek(0)
    if start.startswith(JPEG2000):
        found = jpeg2000_bits(stream.read(HEADERS))
    elif start[4:8] == b"ftyp":
        found = avif_bits(stream.read(HEADERS))
    else:
        return 8
    stream.seek(0)
    return found


def jpeg2000_bits(content: bytes) -> int:
    """Return the most bits that a component has in the header of a code stream; 8 where there is none."""
    place = content.find(CODE_STREAM)
    if place < 0:
        return 8
    # Behind the marker: length and kind, eight numbers of 4 bytes, how many components, 3 bytes for each.
    first, count = place + 42, int.from_bytes(content[place + 40 : place + 42], "big")
    return max(((size & 0x7F) + 1 for size in content[first : first + 3 * count : 3]), default=8)


def avif_bits(content: bytes) -> int:
    """Return the most bits that the boxes of an AVIF or HEIF file speak of; 8 where none does."""
    found = [8]
    if (place := content.find(CHANNELS)) >= 0:  # version and flags, how many channels, the bits of each
        found += content[place + 9 : place + 9 + content[place + 8]] if place + 8 < len(content) else b""
    if (place := content.find(AV1)) >= 0 and place + 6 < len(content) and content[place + 6] & 0x40:
        found.append(12 if content[place + 6] & 0x20 else 10)
    return max(found)

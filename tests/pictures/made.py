"""Small pictures in every form that people have them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

# Four corners of different colours, wider than high, so that every turn can be told apart.
CORNERS = np.array(
    [
        [[255, 0, 0], [255, 0, 0], [0, 255, 0], [0, 255, 0]],
        [[0, 0, 255], [0, 0, 255], [255, 255, 255], [255, 255, 255]],
    ],
    dtype=np.uint8,
)


def corners(*, scale: int = 8) -> Image.Image:
    """Red, green / blue, white: in blocks that survive JPEG."""
    return Image.fromarray(np.repeat(np.repeat(CORNERS, scale, axis=0), scale, axis=1))


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """An image as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def colours(pixels: np.ndarray, *, tolerance: int = 12) -> list[list[str]]:
    """The names of the corners' colours, from the middle of each quarter."""
    names = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    height, width = pixels.shape[:2]

    def name(y: int, x: int) -> str:
        near = [n for n, c in names.items() if np.abs(pixels[y, x].astype(int) - c).max() <= tolerance]
        return near[0] if near else str(pixels[y, x].tolist())

    return [[name(y, x) for x in (width // 4, width * 3 // 4)] for y in (height // 4, height * 3 // 4)]


UPRIGHT = [["red", "green"], ["blue", "white"]]


def tiff(data: bytes, tags: dict[int, int | bytes], *, order: str = "<") -> bytes:
    """An uncompressed TIFF of one strip, or what ``tags`` make of it; bytes are ASCII."""
    place = 8
    entries = {259: 1, 273: place, 278: tags.get(257, 1), 279: len(data), **tags}
    after = data + bytes(len(data) % 2)
    written = b""
    extra = place + len(after) + 2 + 12 * len(entries) + 4
    tail = b""
    for tag, value in sorted(entries.items()):
        if isinstance(value, bytes):
            kind, count, content = 2, len(value), value
        else:
            kind, count, content = 4, 1, struct.pack(order + "I", value)
        if len(content) > 4:
            content, tail = struct.pack(order + "I", extra + len(tail)), tail + content
        written += struct.pack(order + "HHI", tag, kind, count) + content.ljust(4, b"\0")
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, place + len(after))
    return mark + after + struct.pack(order + "H", len(entries)) + written + bytes(4) + tail


def chunk(kind: bytes, content: bytes) -> bytes:
    """One part of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(parts: bytes, *, image: Image.Image | None = None) -> bytes:
    """A PNG with more parts before its pixels."""
    content = encoded(image or corners())
    return content[:33] + parts + content[33:]

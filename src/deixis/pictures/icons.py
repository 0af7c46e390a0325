"""Icons (ICO): pictures in a directory of sizes, which Pillow decodes while it opens the file."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import IO

from deixis.pictures.png_parts import PNG, without_remarks

ICON = b"\0\0\1\0"
ENTRY = 16  # bytes of the directory: sides, colours, then length and place of the picture
OLDEST_BITMAP_HEADER = b"\x0c\0\0\0"
BITMAP_HEADERS = tuple(size.to_bytes(4, "little") for size in (40, 52, 56, 64, 108, 124))


def check_icon(stream: IO[bytes], *, check: Callable[[int, int], None]) -> None:
    """Check the sizes of an icon's pictures: those that they have, not those that the directory promises."""
    count = int.from_bytes(stream.read(6)[4:], "little")
    directory = stream.read(16 * count)
    for place in range(0, len(directory) - 15, 16):
        stream.seek(int.from_bytes(directory[place + 12 : place + 16], "little"))
        header = stream.read(24)
        if header.startswith(PNG) and len(header) == 24:
            check(*struct.unpack(">II", header[16:24]))
        elif (
            len(header) >= 16 and header[:4] == OLDEST_BITMAP_HEADER
        ):  # the oldest bitmaps have shorter numbers
            width, height = struct.unpack("<HH", header[4:8])
            check(max(width, 1), max(height // 2, 1))
        elif len(header) >= 16 and header[:4] in BITMAP_HEADERS:
            width, height = struct.unpack("<ii", header[4:12])  # rows of colours, then of the mask
            check(max(abs(width), 1), max(abs(height) // 2, 1))


def without_icon_remarks(stream: IO[bytes], *, name: str) -> IO[bytes]:
    """Return an icon whose PNGs have no text and no colour profile; the stream itself where none has."""
    stream.seek(0)
    content = stream.read()
    count = int.from_bytes(content[4:6], "little")
    directory = bytearray(content[6 : 6 + ENTRY * count])
    shortened: dict[tuple[int, int], tuple[int, int]] = {}  # length and place before and after
    added = bytearray()
    for entry in range(0, len(directory) - ENTRY + 1, ENTRY):
        length, place = struct.unpack("<II", directory[entry + 8 : entry + ENTRY])
        if not content.startswith(PNG, place):
            continue
        if (length, place) not in shortened:
            before = io.BytesIO(content[place : place + length])
            after = without_remarks(before, name=name)
            if after is before:
                shortened[length, place] = (length, place)
            else:
                after.seek(0)
                kept = after.read()
                shortened[length, place] = (len(kept), len(content) + len(added))
                added += kept
        directory[entry + 8 : entry + ENTRY] = struct.pack("<II", *shortened[length, place])
    if not added:
        return stream
    return io.BytesIO(content[:6] + bytes(directory) + content[6 + len(directory) :] + bytes(added))

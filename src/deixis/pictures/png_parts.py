"""A PNG without its remarks and colour profile: Pillow refuses the whole file for a long one."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import IO

from deixis.errors import BadPicture

PNG = b"\x89PNG\r\n\x1a\n"
# A file may have so many parts, and one more for so many bytes of it: Pillow reads 200,000 a second.
MOST_PARTS, LEAST_PART = 100_000, 1 << 10
LONGEST_REMARK = 1 << 20  # bytes, unpacked; Pillow reads no longer ones
REMARKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
# Remarks in which an orientation can stand.
TELLING = (b"XML:com.adobe.xmp", b"Raw profile type exif")


def without_remarks(stream: IO[bytes], *, name: str) -> IO[bytes]:
    """Return a PNG without text and colour profile, which no pixel depends on; orientations are kept."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    kept: list[tuple[int, int]] = []  # beginnings and ends in the file
    begin, place, parts = 0, len(PNG), 0
    while place + 12 <= length:
        stream.seek(place)
        size, kind = struct.unpack(">I4s", stream.read(8))
        end = place + 12 + size
        if end > length or kind == b"IEND":
            break
        parts += 1
        if parts > MOST_PARTS + length // LEAST_PART:
            raise BadPicture(
                f"picture {name!r} has more than {MOST_PARTS:,} parts, most of them next to empty; "
                "save it anew"
            )
        if kind in REMARKS and not (size <= LONGEST_REMARK and tells(kind, stream.read(size))):
            kept.append((begin, place))
            begin = end
        place = end
    if not kept:
        return stream
    whole = io.BytesIO()
    for first, last in [*kept, (begin, length)]:
        stream.seek(first)
        whole.write(stream.read(last - first))
    return whole


def tells(kind: bytes, content: bytes) -> bool:
    """Return whether an orientation may stand in a remark that Pillow can read."""
    keyword, _, rest = content.partition(b"\0")
    if keyword not in TELLING:
        return False
    if kind == b"iTXt" and rest[:1] == b"\1":
        rest = rest[2:].split(b"\0", 2)[-1]
    elif kind != b"zTXt":
        return True
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(rest[1:] if kind == b"zTXt" else rest, LONGEST_REMARK)
    except zlib.error:
        return False
    return not unpacking.unconsumed_tail

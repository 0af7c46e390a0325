"""How much a file has before its pixels: Pillow reads all of it, some of it slower the more there is.

Cameras write a few dozen parts; a file of a hundred thousand is made to take time.
"""

from __future__ import annotations

import re
from typing import IO

from deixis.errors import BadPicture

JPEG, GIF = b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")
JPEG2000 = b"\0\0\0\x0cjP  \r\n\x87\n"
MOST_SEGMENTS = 10_000
MOST_STRAY = 1 << 16  # bytes between segments that belong to none
LARGEST_START = 32 << 20  # bytes of a JPEG before its pixels; Pillow joins what it finds piece by piece
START_OF_SCAN, ALONE = 0xDA, (0x01, *range(0xD0, 0xD9))  # markers without a length
MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
EXTENSION, PICTURE = b"!", b","


def check_segments(stream: IO[bytes], *, start: bytes, name: str) -> None:
    """Raise BadPicture for a JPEG, GIF or JPEG 2000 file with more before its pixels than a camera writes.

    start: the first bytes of the file. Files of other kinds are left alone.
    """
    if start.startswith(JPEG):
        check_jpeg(stream, name=name)
    elif start.startswith(GIF):
        check_gif(stream, name=name)
    elif start.startswith(JPEG2000):
        check_boxes(stream, name=name)


def too_much(name: str) -> BadPicture:
    """Return the error for a file with too much before its pixels."""
    return BadPicture(
        f"picture {name!r} has too much before its pixels: more than {MOST_SEGMENTS:,} parts, "
        f"{LARGEST_START:,} bytes, or {MOST_STRAY:,} bytes that are no part; save it anew"
    )


def check_jpeg(stream: IO[bytes], *, name: str) -> None:
    """Check the segments of a JPEG up to its first scan."""
    place, stray = 2, 0
    for _ in range(MOST_SEGMENTS):
        stream.seek(place)
        window = stream.read(4)
        if MARKER.match(window) is None:  # filled up, or nonsense that Pillow passes over
            window += stream.read(MOST_STRAY)
        found = MARKER.search(window)
        if found is None and len(window) <= MOST_STRAY:
            return  # cut: decoding says so
        stray += len(window) if found is None else found.start()
        if found is None or stray > MOST_STRAY or place > LARGEST_START:
            raise too_much(name)
        marker, after = found[1][0], place + found.end()
        if marker == START_OF_SCAN:
            return
        if marker in ALONE:
            place = after
            continue
        stream.seek(after)
        place = after + max(int.from_bytes(stream.read(2), "big"), 2)
    raise too_much(name)


def check_gif(stream: IO[bytes], *, name: str) -> None:
    """Check the extensions of a GIF before its first picture."""
    stream.seek(10)
    flags = stream.read(3)[:1] or b"\0"
    place = 13 + (3 << ((flags[0] & 7) + 1) if flags[0] & 0x80 else 0)
    for _ in range(MOST_SEGMENTS):
        stream.seek(place)
        if stream.read(1) != EXTENSION:
            return
        stream.read(1)  # its kind
        while size := stream.read(1)[:1]:
            stream.seek(size[0], 1)
            if size == b"\0":
                break
        place = stream.tell()
    raise too_much(name)


def check_boxes(stream: IO[bytes], *, name: str) -> None:
    """Check the boxes of a JPEG 2000 file before its code stream."""
    place = 0
    for _ in range(MOST_SEGMENTS):
        stream.seek(place)
        head = stream.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if kind in (b"jp2c", b"") or size < 8:
            return
        place += size
    raise too_much(name)

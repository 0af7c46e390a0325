"""How much a file has before its pixels, and how many scans: Pillow reads all of it, and some of it slowly.

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
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers that say what the picture is like
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
MOST_SCANS = 100  # encoders write about ten; each passes over the whole picture, however few its bytes
PIECE = 1 << 14  # bytes that are looked at together
ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
# In a scan 0xFF is followed by 0, or by the number of a restart, which stands alone; else it is a marker.
IN_SCAN = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]", re.DOTALL)
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
    """Check the segments of a JPEG up to its first scan, and how many scans it has."""
    place, stray, frame = 2, 0, b""
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
            check_scans(stream, frame=frame, at=after, name=name)
            return
        frame = frame_at(stream, marker, after) or frame
        if marker in ALONE:
            place = after
            continue
        stream.seek(after)
        place = after + max(int.from_bytes(stream.read(2), "big"), 2)
    raise too_much(name)


def check_scans(stream: IO[bytes], *, frame: bytes, at: int, name: str) -> None:
    """Raise BadPicture for a JPEG of more scans than ``MOST_SCANS``.

    frame: as `frame_at` gives it. at: where the length of the first scan stands.
    """
    stream.seek(at + 2)
    components = stream.read(1)
    if not frame or not components:
        return  # cut: decoding says so
    if frame[0] not in PROGRESSIVE and components[0] >= frame[8]:
        return  # all of it in one scan
    place, scans = at, 1
    for _ in range(MOST_SEGMENTS):
        found = next_marker(stream, after_segment(stream, place))
        if found is None or found[0] == END_OF_IMAGE:
            return
        marker, place = found
        scans += marker == START_OF_SCAN
        if scans > MOST_SCANS:
            break
    raise BadPicture(
        f"picture {name!r} has more than {MOST_SCANS} scans, or {MOST_SEGMENTS:,} parts between them; save "
        "it anew"
    )


def frame_at(stream: IO[bytes], marker: int, place: int) -> bytes:
    """Return the marker of a frame and its first 8 bytes, the number of components last; empty for others."""
    if marker not in FRAMES:
        return b""
    stream.seek(place)
    content = stream.read(8)  # length, bits, height, width, components
    return bytes([marker]) + content if len(content) == 8 else b""


def after_segment(stream: IO[bytes], place: int) -> int:
    """Return where a segment ends whose length stands at a place."""
    stream.seek(place)
    return place + max(int.from_bytes(stream.read(2), "big"), 2)


def next_marker(stream: IO[bytes], place: int) -> tuple[int, int] | None:
    """Return the next marker from a place on, and where what follows it begins; None at the end."""
    while True:
        stream.seek(place)
        piece = stream.read(PIECE)
        found = IN_SCAN.search(piece)
        if found is not None:
            return found[0][1], place + found.end()
        if len(piece) < PIECE:
            return None
        place += PIECE - 1  # its last byte may begin a marker


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

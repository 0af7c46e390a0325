"""What files say of themselves, read before Pillow opens them: sizes, and parts that Pillow trips over.

Pillow decodes an icon while it opens it, refuses a PNG for a long remark, and reads the comments of the
Netpbm formats letter by letter; each would come before ``open_picture`` can look at the size.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zlib
from collections.abc import Callable
from typing import IO

from PIL import Image

from deixis.errors import BadPicture

Check = Callable[[int, int], None]  # raises BadPicture for a width and height that are too large

PNG = b"\x89PNG\r\n\x1a\n"
ICON = b"\0\0\1\0"
OLDEST_BITMAP_HEADER = b"\x0c\0\0\0"
BITMAP_HEADERS = tuple(size.to_bytes(4, "little") for size in (40, 52, 56, 64, 108, 124))
NETPBM = re.compile(rb"P[1-6][\s#]")
# The header of the Netpbm formats: two or three numbers, with blanks and comments between them.
NETPBM_HEADER = re.compile(rb"P([1-6])((?:\s|#[^\r\n]*[\r\n])+(\d{1,10}))((?:\s|#[^\r\n]*[\r\n])+(\d{1,10}))")
COMMENT = re.compile(rb"#[^\r\n]*")
BETWEEN = re.compile(rb"(?:#[^\r\n]*|\s)+")  # the values of a plain file
LARGEST_HEADER = 1 << 16  # bytes
# Plain Netpbm files spell each value in digits, which Pillow reads at 1 MB a second.
LARGEST_PLAIN = 32 << 20
MOST_PARTS = 100_000  # of a PNG, pixels apart
LONGEST_REMARK = 1 << 20  # bytes, unpacked; Pillow reads no longer ones
REMARKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
# Remarks in which an orientation can stand.
TELLING = (b"XML:com.adobe.xmp", b"Raw profile type exif")
# Tiles are as large as they like, whatever the picture's size; these do no harm.
HARMLESS_TILE = 1 << 20  # pixels


def inspected(stream: IO[bytes], *, check: Check, name: str) -> IO[bytes]:
    """Return a stream that Pillow may open: this one, or one without what Pillow trips over."""
    start = stream.read(16)
    stream.seek(0)
    if start.startswith(ICON):
        check_icon(stream, check=check)
    elif start.startswith(PNG):
        stream = without_remarks(stream, name=name)
    elif NETPBM.match(start):
        stream = without_comments(stream, check=check, name=name)
    stream.seek(0)
    return stream


def check_icon(stream: IO[bytes], *, check: Check) -> None:
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


def check_tiles(image: Image.Image, *, max_pixels: int, name: str) -> None:
    """Raise BadPicture where the tiles of a TIFF are larger than a whole picture may be."""
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(322), tags.get(323)
    if not isinstance(width, int) or not isinstance(height, int):
        return
    if width * height > max(max_pixels, HARMLESS_TILE):
        raise BadPicture(
            f"picture {name!r} has tiles of {width} x {height} = {width * height:,} pixels; at most "
            f"{max_pixels:,} are decoded (max_pixels raises the limit; on the command line --max-pixels)"
        )


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
        parts += kind not in (b"IDAT", b"fdAT")
        if parts > MOST_PARTS:
            raise BadPicture(f"picture {name!r} has more than {MOST_PARTS:,} parts beside its pixels")
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


def without_comments(stream: IO[bytes], *, check: Check, name: str) -> IO[bytes]:
    """Return a Netpbm file in which no comment is left to be read letter by letter."""
    start = stream.read(LARGEST_HEADER)
    header = NETPBM_HEADER.match(start)
    if header is None:
        raise BadPicture(
            f"picture {name!r} is damaged or cut: no width and height in the first {LARGEST_HEADER:,} bytes"
        )
    check(int(header[3]), int(header[5]))
    plain = header[1] in b"123"
    if not plain:
        return with_short_header(stream, start, header=header, name=name)
    rest = stream.read(LARGEST_PLAIN + 1)
    if len(rest) > LARGEST_PLAIN:
        raise BadPicture(
            f"picture {name!r} spells its values in digits and has more than {LARGEST_PLAIN:,} bytes; "
            "save it in the binary form (P4, P5 or P6)"
        )
    return io.BytesIO(BETWEEN.sub(b"\n", start + rest))


def with_short_header(stream: IO[bytes], start: bytes, *, header: re.Match[bytes], name: str) -> IO[bytes]:
    """Return a binary Netpbm file whose header has no comments; the file itself where there are none."""
    end = header.end()
    if header[1] in b"56":  # the largest value follows
        largest = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])+\d{1,10}").match(start, end)
        if largest is None:
            raise BadPicture(f"picture {name!r} is damaged or cut: no largest value in its header")
        end = largest.end()
    if b"#" not in start[:end]:
        return stream
    stream.seek(end)
    return io.BytesIO(COMMENT.sub(b"", start[:end]) + stream.read())

"""Netpbm files (PPM, PGM, PBM) without their comments, which Pillow reads letter by letter."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import IO

from deixis.errors import BadPicture

# The header: two or three numbers, with blanks and comments between them.
HEADER = re.compile(rb"P([1-6])((?:\s|#[^\r\n]*[\r\n])+(\d{1,10}))((?:\s|#[^\r\n]*[\r\n])+(\d{1,10}))")
COMMENT = re.compile(rb"#[^\r\n]*")
BETWEEN = re.compile(rb"(?:#[^\r\n]*|\s)+")  # the values of a plain file
LARGEST_HEADER = 1 << 16  # bytes
# Plain files spell each value in digits, which Pillow reads at 1 MB a second.
LARGEST_PLAIN = 32 << 20


def without_comments(stream: IO[bytes], *, check: Callable[[int, int], None], name: str) -> IO[bytes]:
    """Return a Netpbm file in which no comment is left to be read letter by letter."""
    start = stream.read(LARGEST_HEADER)
    header = HEADER.match(start)
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

"""What files say of themselves, read before Pillow opens them: sizes, and parts that Pillow trips over.

Pillow decodes an icon while it opens it, refuses a PNG for a long remark, and reads the comments of the
Netpbm formats letter by letter; each would come before ``open_picture`` can look at the size.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO

from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.icons import ICON, check_icon, without_icon_remarks
from deixis.pictures.netpbm import without_comments
from deixis.pictures.png_parts import PNG, without_remarks
from deixis.pictures.segments import check_segments

Check = Callable[[int, int], None]  # raises BadPicture for a width and height that are too large

NETPBM = re.compile(rb"P[1-6][\s#]")
# Tiles are as large as they like, whatever the picture's size; these do no harm.
HARMLESS_TILE = 1 << 20  # pixels


def inspected(stream: IO[bytes], *, check: Check, name: str) -> IO[bytes]:
    """Return a stream that Pillow may open: this one, or one without what Pillow trips over."""
    start = stream.read(16)
    stream.seek(0)
    if start.startswith(ICON):
        check_icon(stream, check=check)
        stream = without_icon_remarks(stream, name=name)
    elif start.startswith(PNG):
        stream = without_remarks(stream, name=name)
    elif NETPBM.match(start):
        stream = without_comments(stream, check=check, name=name)
    else:
        check_segments(stream, start=start, name=name)
    stream.seek(0)
    return stream


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

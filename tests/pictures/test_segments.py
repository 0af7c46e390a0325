"""Files with next to endless parts before their pixels are refused in bounded time; ordinary ones open."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.opening import open_picture
from tests.pictures.made import UPRIGHT, chunk, colours, corners, encoded

COM = b"\xff\xfe\x00\x03x"
EXIF = b"\xff\xe1\xff\xff" + (b"Exif\0\0" + b"x" * 65_527)
COMMENT = b"!\xfe\x01x\0"
BOX = b"\0\0\0\x08free"


def jpeg(between: bytes) -> bytes:
    content = encoded(corners(), "JPEG", quality=95)
    return content[:2] + between + content[2:]


def gif(between: bytes) -> bytes:
    content = encoded(corners(), "GIF")
    place = 13 + (3 << ((content[10] & 7) + 1) if content[10] & 0x80 else 0)
    return content[:place] + between + content[place:]


def jpeg2000(between: bytes) -> bytes:
    content = encoded(corners(), "JPEG2000")
    return content[:12] + between + content[12:]


def png(between: bytes) -> bytes:
    content = encoded(corners())
    return content[:33] + between + content[33:]


@pytest.mark.parametrize(
    "content",
    [
        jpeg(COM * 200_000),
        jpeg(EXIF * 600),
        jpeg(b"\xff" * 1_000_000),
        jpeg(b"\xff\0" * 500_000),
        jpeg(COM + b"no marker" * 100_000),
        gif(COMMENT * 200_000),
        jpeg2000(BOX * 200_000),
        png(chunk(b"IDAT", b"") * 400_000),
        png(chunk(b"abCd", b"") * 400_000),
    ],
    ids=["JPEG", "40 MB EXIF", "filled", "stuffed", "nonsense", "GIF", "JPEG 2000", "IDAT", "unknown PNG"],
)
def test_endless_parts_are_refused(content: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(BadPicture, match=r"too much before its pixels|next to empty"):
        open_picture(content)
    assert time.monotonic() - began < 5  # on a busy machine, too


@pytest.mark.parametrize(
    "content",
    [
        jpeg(COM * 500 + EXIF * 60),
        jpeg(b"\xff" * 1_000),
        gif(COMMENT * 500),
        gif(b"!\xfe" + (b"\xff" + b"x" * 255) * 4_096 + b"\0"),
        png(chunk(b"abCd", b"") * 500),
    ],
)
def test_what_cameras_and_programs_write_is_opened(content: bytes) -> None:
    assert colours(open_picture(content).pixels, tolerance=60) == UPRIGHT


def test_a_png_of_many_small_parts_of_pixels() -> None:
    """Some programs write pixels a kilobyte at a time, or less."""
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (140, 140, 3), np.uint8)))
    packed = content[41:-16]
    parts = [chunk(b"IDAT", packed[at : at + 8]) for at in range(0, len(packed), 8)]
    again = open_picture(content[:33] + b"".join(parts) + content[-12:])
    assert len(parts) > 7_000 and np.array_equal(again.pixels, open_picture(content).pixels)


@pytest.mark.parametrize("cut", [2, 3, 4, 5, 9, 20, 200])
def test_a_cut_jpeg_is_damaged(cut: int) -> None:
    with pytest.raises(BadPicture, match=r"damaged or cut|is not a picture"):
        open_picture(jpeg(b"")[:cut])


def scans(count: int, *, progressive: bool, between: bytes = b"") -> bytes:
    """A picture of three colours whose last scan is there so often, without data."""
    content = encoded(Image.new("RGB", (64, 64), (200, 40, 40)), "JPEG", progressive=progressive)
    start = content.rindex(b"\xff\xda")
    size = int.from_bytes(content[start + 2 : start + 4], "big")
    return content[:-2] + (between + content[start : start + 2 + size]) * count + content[-2:]


def test_a_jpeg_of_absurdly_many_scans_is_refused_undecoded() -> None:
    assert open_picture(scans(0, progressive=True)).width == 64
    assert open_picture(scans(80, progressive=True)).width == 64  # and about ten of its own
    for content in (scans(200_000, progressive=True), scans(99, progressive=True)):
        began = time.monotonic()
        with pytest.raises(BadPicture, match="more than 100 scans"):
            open_picture(content)
        assert time.monotonic() - began < 1


def test_endless_parts_between_scans_are_refused() -> None:
    began = time.monotonic()
    with pytest.raises(BadPicture, match="parts between them"):
        open_picture(scans(1, progressive=True, between=COM * 300_000))
    assert time.monotonic() - began < 3


def test_a_thumbnail_and_what_follows_the_picture_are_no_scans() -> None:
    many = b"\xff\xda\0\x02" * 500
    content = scans(0, progressive=True)
    comment = b"\xff\xfe" + (2 + len(many)).to_bytes(2, "big") + many
    assert open_picture(content[:2] + comment + content[2:] + many).width == 64


def test_one_scan_of_all_colours_is_not_searched() -> None:
    assert open_picture(scans(0, progressive=False)[:-2] + b"\xff\xd9" + b"\xff\xda\0\x02" * 500).width == 64

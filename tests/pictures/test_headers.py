"""What is wrong with a file is told, and what doesn't matter in it is passed over, before it is decoded."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.opening import Picture, open_picture
from tests.pictures.made import UPRIGHT, chunk, colours, corners, encoded, png_with, tiff

LONG = bytes(2 << 20)
PACKED = zlib.compress(LONG)


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever decodes fails the test."""

    def load(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)


@pytest.mark.parametrize(
    "parts",
    [
        chunk(b"zTXt", b"k\0\0" + PACKED),
        chunk(b"iTXt", b"k\0\1\0\0\0" + PACKED),
        chunk(b"iTXt", b"k\0\0\0\0\0" + LONG),
        chunk(b"iCCP", b"k\0\0" + PACKED),
        chunk(b"tEXt", b"k\0" + LONG) * 40,
        chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + PACKED),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + PACKED),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + PACKED),
    ],
    ids=["zTXt", "iTXt", "long iTXt", "iCCP", "80 MB tEXt", "xmp", "exif", "packed xmp"],
)
def test_long_remarks_in_a_png_do_not_matter(parts: bytes) -> None:
    assert colours(open_picture(png_with(parts)).pixels) == UPRIGHT
    content = encoded(corners())
    assert colours(open_picture(content[:-12] + parts + content[-12:]).pixels) == UPRIGHT


@pytest.mark.parametrize("packed", [False, True])
def test_an_orientation_among_remarks_is_kept(packed: bool) -> None:
    xmp = b'<x tiff:Orientation="3"/>'
    part = b"XML:com.adobe.xmp\0" + (b"\1\0\0\0" + zlib.compress(xmp) if packed else b"\0\0\0\0" + xmp)
    content = png_with(chunk(b"iCCP", b"k\0\0" + PACKED) + chunk(b"iTXt", part), image=corners().rotate(180))
    assert colours(open_picture(content).pixels) == UPRIGHT


def icon(inside: bytes) -> bytes:
    """An icon of one picture that its directory says is 16 x 16."""
    return (
        struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22) + inside
    )


def bitmap(width: int, height: int) -> bytes:
    return struct.pack("<IiiHHIIiiII", 40, width, height * 2, 1, 24, 0, 0, 0, 0, 0, 0)


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize(
    ("content", "size"),
    [
        (icon(encoded(Image.new("1", (9000, 9000)))), "9000 x 9000"),
        (icon(bitmap(9000, 9000)), "9000 x 9000"),
        (
            tiff(bytes(9), {256: 1, 257: 1, 258: 8, 262: 1, 277: 1, 322: 9000, 323: 9000, 324: 8}),
            "9000 x 9000",
        ),
        (encoded(Image.new("1", (9000, 9000)), "TIFF", compression="group4"), "9000 x 9000"),
        (b"P5\n9000 9000\n255\n", "9000 x 9000"),
    ],
    ids=["icon of png", "icon of bitmap", "tiles of tiff", "tiff", "pgm"],
)
def test_what_unpacks_to_more_is_refused_before_it_is_decoded(content: bytes, size: str) -> None:
    with pytest.raises(BadPicture, match=f"{size} = 81,000,000 pixels; at most 1,000 are"):
        open_picture(content, max_pixels=1000)


def test_icons_and_tiles_within_the_limit_are_opened() -> None:
    content = encoded(corners(), "ICO", sizes=[(32, 16), (16, 8)])
    assert colours(open_picture(content, max_pixels=512).pixels) == UPRIGHT
    tiled = tiff(bytes(256), {256: 9, 257: 7, 258: 8, 262: 1, 277: 1, 322: 16, 323: 16, 324: 8, 325: 256})
    assert open_picture(tiled, max_pixels=63).frame.size == (9, 7)


def measured(content: bytes) -> tuple[Picture | str, float, int]:
    """What comes of it, the seconds that it took and the bytes of Python's own memory."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        made: Picture | str = open_picture(content)
    except BadPicture as fault:
        made = str(fault)
    took, peak = time.perf_counter() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return made, took, peak


def tall(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", PACKED) + chunk(b"IEND", b"")


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tall(1, 99_000_000), "has 1 x 99000000 pixels; a side is at most 1,000,000"),
        (tall(99_000_000, 1), "has 99000000 x 1 pixels; a side is at most 1,000,000"),
        (
            tiff(
                bytes(900), {256: 1, 257: 1, 258: 8, 259: 8, 262: 1, 277: 1, 322: 20000, 323: 20000, 324: 8}
            ),
            "tiles of 20000 x 20000 = 400,000,000 pixels",
        ),
        (b"P6\n" + b"#\n" * 1_000_000, "no width and height in the first 65,536 bytes"),
        (b"P3\n9 9\n255\n" + b"1 " * (17 << 20), "spells its values in digits and has more than"),
        (png_with(chunk(b"abCd", b"") * 200_000), "more than 100,000 parts, most of them next to empty"),
    ],
    ids=["tall", "wide", "tiles", "comments", "digits", "parts"],
)
def test_little_work_is_done_for_a_file_that_asks_for_much(content: bytes, message: str) -> None:
    made, took, peak = measured(content)
    assert isinstance(made, str) and message in made
    assert took < 5 and peak < (100 << 20)


@pytest.mark.parametrize(
    "content",
    [
        b"P3\n2 1 255\n" + b"#a\n" * 1_000_000 + b"7 8 9 7 8 9\n",
        b"P3 # one\n2 # two\n1\n# three\n255 # four\n7 8 9\n7 8 9\n",
        b"P6 #" + b"a" * 60_000 + b"\n2 1\n255\n\7\10\11\7\10\11",
        b"P6\n2 1 # size\n# 5\n255\n\7\10\11\7\10\11",
    ],
    ids=["plain", "plain, short", "binary", "binary, short"],
)
def test_comments_cost_next_to_nothing(content: bytes, tmp_path: Path) -> None:
    made, took, _ = measured(content)
    assert isinstance(made, Picture) and made.pixels.tolist() == [[[7, 8, 9]] * 2]
    assert took < 3
    path = tmp_path / "p.ppm"
    path.write_bytes(content)
    assert open_picture(path).name == "p.ppm"


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_netpbm_pixels_that_look_like_comments_are_kept(mode: str) -> None:
    image = Image.fromarray(np.full((5, 8, 3), ord("#"), np.uint8)).convert(mode)
    content = encoded(image, "PPM")
    with Image.open(io.BytesIO(content)) as expected:
        assert np.array_equal(open_picture(content).pixels, np.asarray(expected.convert("RGB")))
    remarked = content.replace(b"\n", b"\n# said\n", 1)
    assert np.array_equal(open_picture(remarked).pixels, open_picture(content).pixels)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP", b"tEXt"])
def test_long_remarks_in_the_png_of_an_icon_do_not_matter(kind: bytes) -> None:
    between = {b"zTXt": b"k\0\0" + PACKED, b"iTXt": b"k\0\1\0\0\0" + PACKED, b"iCCP": b"k\0\0" + PACKED}
    picture = png_with(chunk(kind, between.get(kind, b"k\0" + LONG)))
    small = encoded(corners(scale=2))
    directory, pictures = b"", b""
    for content, (width, height) in ((small, (8, 4)), (picture, (32, 16)), (picture, (32, 16))):
        place = 6 + 16 * 3 + len(pictures)
        directory += struct.pack("<BBBBHHII", width, height, 0, 0, 1, 32, len(content), place)
        pictures += content
    opened = open_picture(struct.pack("<HHH", 0, 1, 3) + directory + pictures)
    assert (opened.width, opened.height) == (32, 16) and colours(opened.pixels) == UPRIGHT


def big_tiff(sides: tuple[int, int], tags: dict[int, int]) -> bytes:
    fields = {256: sides[0], 257: sides[1], 258: 8, 259: 1, 262: 1, 277: 1, 278: sides[1], **tags}
    if 322 not in tags:
        fields |= {273: 16, 279: 600}
    written = struct.pack("<Q", len(fields))
    for tag, value in sorted(fields.items()):
        written += struct.pack("<HHQQ", tag, 16, 1, value)
    return b"II" + struct.pack("<HHHQ", 43, 8, 0, 616) + bytes([90]) * 600 + written + bytes(8)


def test_a_bigtiff_is_opened() -> None:
    assert open_picture(big_tiff((30, 20), {})).pixels[0, 0].tolist() == [90] * 3


@pytest.mark.parametrize(
    ("sides", "tags"),
    [
        ((100_000, 100_000), {}),
        ((1 << 40, 1 << 40), {}),
        ((30, 20), {322: 60_000, 323: 60_000, 324: 16, 325: 600}),
        ((30, 20), {322: 1 << 40, 323: 1 << 40, 324: 16, 325: 600}),
    ],
)
def test_a_bigtiff_of_too_many_pixels_is_refused(
    sides: tuple[int, int], tags: dict[int, int], undecoded: None
) -> None:
    with pytest.raises(BadPicture, match=r"too large|at most 100,000,000"):
        open_picture(big_tiff(sides, tags))

"""Masks whose colours have 16 bits: the lower byte, which Pillow drops, decides where the upper one is 0."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from deixis.errors import BadRegion
from deixis.pictures.depth import stated_bits
from deixis.pictures.masks import check_white, open_mask
from deixis.pictures.opening import open_picture
from tests.pictures.made import chunk

INSIDE = np.zeros((40, 60), bool)
INSIDE[10:30, 20:40] = True
WHITE = 65535
PNG_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> colour type


def values(channels: int, value: int, alpha: int | None = None, *, around: int = WHITE) -> np.ndarray:
    """The square in a value on 0; alpha in it and around it."""
    found = np.zeros((40, 60, channels + (alpha is not None)), np.uint16)
    found[INSIDE, :channels] = value
    if alpha is not None:
        found[..., channels] = np.where(INSIDE, alpha, around)
    return found


def png(pixels: np.ndarray, parts: bytes = b"") -> bytes:
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, PNG_KINDS[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + parts
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff(pixels: np.ndarray, order: str, *, packed: bool) -> bytes:
    height, width, channels = pixels.shape
    data = pixels.astype(order + "u2").tobytes()
    data = zlib.compress(data) if packed else data
    place = 8 + len(data) + len(data) % 2
    fields = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, None)]
    fields += [(259, 3, 1, 8 if packed else 1), (262, 3, 1, 2), (273, 4, 1, 8), (277, 3, 1, channels)]
    fields += [(278, 4, 1, height), (279, 4, 1, len(data))] + ([(338, 3, 1, 2)] if channels == 4 else [])
    after = place + 2 + 12 * len(fields) + 4
    written = struct.pack(order + "H", len(fields))
    for tag, kind, count, value in fields:
        where = after if value is None else value
        form = "H" if kind == 3 and value is not None else "I"
        written += struct.pack(order + "HHI", tag, kind, count)
        written += struct.pack(order + form, where).ljust(4, b"\0")
    bits = struct.pack(order + "H" * channels, *[16] * channels)
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, place)
    return (mark + data).ljust(place, b"\0") + written + bytes(4) + bits


def ppm(pixels: np.ndarray, largest: int) -> bytes:
    return b"P6 60 40 %d\n" % largest + pixels.astype(">u2" if largest > 255 else "u1").tobytes()


@pytest.mark.parametrize("value", [1, 2, 200, 255, 256, 300, 40_000, WHITE])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_label_belongs_in_a_png(value: int, channels: int) -> None:
    assert np.array_equal(open_mask(png(values(channels, value))), INSIDE)
    assert np.array_equal(open_mask(png(values(channels, value, WHITE))), INSIDE)
    if channels == 3:
        assert np.array_equal(open_mask(png(values(channels, value) * [0, 1, 0])), INSIDE)


@pytest.mark.parametrize("alpha", [1, 255, 256, WHITE])
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_of_16_bits_decides(alpha: int, channels: int) -> None:
    for value in (0, 1, WHITE):
        assert np.array_equal(open_mask(png(values(channels, value, alpha, around=0))), INSIDE)


@pytest.mark.parametrize("value", [1, 255, 256, WHITE])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_label_belongs_in_a_tiff(value: int, order: str, packed: bool) -> None:
    assert np.array_equal(open_mask(tiff(values(3, value), order, packed=packed)), INSIDE)
    assert np.array_equal(open_mask(tiff(values(3, value, WHITE), order, packed=packed)), INSIDE)
    assert np.array_equal(open_mask(tiff(values(3, 7, value, around=0), order, packed=packed)), INSIDE)


@pytest.mark.parametrize(("value", "largest"), [(1, WHITE), (255, WHITE), (1, 1000), (1, 200), (1, 255)])
def test_every_label_belongs_in_a_ppm(value: int, largest: int) -> None:
    assert np.array_equal(open_mask(ppm(values(3, value), largest)), INSIDE)


def test_labels_of_very_different_sizes_belong() -> None:
    pixels = values(3, 1)
    pixels[10:20, 20:40] = 40_000
    assert np.array_equal(open_mask(png(pixels)), INSIDE)


def test_soft_edges_of_16_bits_are_cut_in_the_middle() -> None:
    levels = np.linspace(0, WHITE, 40).round().astype(np.uint16)
    assert (
        open_mask(png(np.repeat(levels[None, :, None], 3, axis=2)))[0].tolist() == [False] * 20 + [True] * 20
    )


def test_a_colour_that_counts_as_clear() -> None:
    clear = chunk(b"tRNS", struct.pack(">HHH", 0, 0, 0))
    assert np.array_equal(open_mask(png(values(3, 1), clear)), INSIDE)


def test_an_image_that_is_not_decoded_yet_is_read_from_its_file() -> None:
    image = Image.open(io.BytesIO(png(values(3, 1))))
    assert np.array_equal(open_mask(image), INSIDE)


def test_pictures_keep_their_upper_bytes() -> None:
    assert open_picture(png(values(3, 120 * 257))).pixels[15, 25].tolist() == [120] * 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "PA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB"])
@pytest.mark.parametrize("value", [200, 255])
def test_masks_of_every_mode(mode: str, value: int) -> None:
    grey = Image.fromarray(np.where(INSIDE, value, 0).astype(np.uint8))
    ways = {
        "La": ["LA", "La"],
        "PA": ["P", "PA"],
        "RGBa": ["RGBA", "RGBa"],
        "1": ["1"],
        "L": [],
        "LA": ["LA"],
    }
    image = grey
    for step in ways.get(mode, ["RGB", mode]):
        image = image.convert(step, dither=Image.Dither.NONE) if step == "1" else image.convert(step)
    assert image.mode == mode and np.array_equal(open_mask(image), INSIDE)


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I;16N"])
@pytest.mark.parametrize("value", [1, 255, 256, WHITE])
def test_grey_of_16_bits_in_every_order(mode: str, value: int) -> None:
    order = {"B": ">", "N": "="}.get(mode[-1], "<")
    image = Image.frombytes(mode, (60, 40), np.where(INSIDE, value, 0).astype(order + "u2").tobytes())
    assert np.array_equal(open_mask(image), INSIDE)


def test_colours_that_are_all_as_bright_leave_doubt() -> None:
    pixels = np.full((40, 60, 3), 255, np.uint8)
    pixels[INSIDE] = (255, 0, 0)
    with pytest.raises(BadRegion, match="mask has several colours and all are as bright, 255 of 255"):
        open_mask(Image.fromarray(pixels))
    assert open_mask(Image.new("RGB", (6, 4), "white")).all()


def jpeg2000_of(bits: int, level: int) -> bytes:
    """A square in a level on black, in a file whose header says how many bits a colour has."""
    image = Image.new("RGB", (60, 40))
    image.paste((level, level, level), (20, 10, 40, 30))
    stream = io.BytesIO()
    image.save(stream, "JPEG2000", no_jp2=True)
    content = bytearray(stream.getvalue())
    content[42:50:3] = bytes([bits - 1]) * 3
    return bytes(content)


def test_deep_colours_of_jpeg_2000_are_refused_where_labels_may_be_lost() -> None:
    assert stated_bits(io.BytesIO(jpeg2000_of(16, 255))) == 16
    assert open_mask(jpeg2000_of(8, 255)).sum() == open_mask(jpeg2000_of(8, 7)).sum() == 400
    with pytest.raises(BadRegion, match=r"16 bits a colour and nothing near white.*Save it as PNG"):
        open_mask(jpeg2000_of(16, 1))
    deep = Image.fromarray(values(1, 1)[..., 0])
    stream = io.BytesIO()
    deep.save(stream, "JPEG2000")
    assert (open_mask(stream.getvalue()) == INSIDE).all()  # grey keeps all its bits


@pytest.mark.parametrize(("flags", "bits"), [(0x0C, 8), (0x4C, 10), (0x6C, 12)])
def test_bits_of_avif(flags: int, bits: int) -> None:
    boxes = b"\0\0\0\x0cftypavif....av1C\x81\0" + bytes([flags])
    assert stated_bits(io.BytesIO(boxes)) == bits
    assert stated_bits(io.BytesIO(boxes + b"pixi\0\0\0\0\x03" + bytes([bits]) * 3)) == bits
    assert stated_bits(io.BytesIO(b"\0\0\0\x0cftypavif....pixi")) == 8


def test_white_in_deep_colours_is_white() -> None:
    check_white(Image.new("RGB", (2, 2), (255, 0, 0)), bits=10, name="mask")
    with pytest.raises(BadRegion, match="10 bits"):
        check_white(Image.new("RGB", (2, 2)), bits=10, name="mask")

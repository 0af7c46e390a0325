"""Deep grey has its right brightness, or is refused where nobody knows what white is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.opening import open_picture
from tests.pictures.made import encoded, tiff

RAMP = np.array([[0, 1000, 2048, 4095]], np.uint16)


def packed(values: np.ndarray) -> bytes:
    """12-bit values, two in three bytes."""
    bits = "".join(f"{value:012b}" for value in values.ravel())
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


def test_twelve_bits_have_their_brightness() -> None:
    content = tiff(packed(RAMP), {256: 4, 257: 1, 258: 12, 262: 1, 277: 1})
    assert open_picture(content).pixels[0, :, 0].tolist() == [0, 62, 128, 255]
    with Image.open(io.BytesIO(content)) as image:
        assert open_picture(image).pixels[0, :, 0].tolist() == [0, 62, 128, 255]


@pytest.mark.parametrize(
    ("order", "photometric", "expected"),
    [("<", 1, [0, 128, 255]), (">", 1, [0, 128, 255]), ("<", 0, [255, 127, 0])],
)
def test_sixteen_bits_have_their_brightness(order: str, photometric: int, expected: list[int]) -> None:
    values = np.array([[0, 32896, 65535]], np.dtype(np.uint16).newbyteorder(order))
    content = tiff(values.tobytes(), {256: 3, 257: 1, 258: 16, 262: photometric, 277: 1}, order=order)
    assert open_picture(content).pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize("form", ["PNG", "PPM", "TIFF", "JPEG2000"])
def test_sixteen_bits_of_every_format(form: str) -> None:
    image = Image.fromarray(np.full((8, 8), 120 * 257, np.uint16))
    if form == "PPM":  # not every Pillow writes it from this mode
        content = b"P5 8 8 65535\n" + np.asarray(image).astype(">u2").tobytes()
    else:
        content = encoded(image, form)
    assert open_picture(content).pixels[0, 0].tolist() == [120] * 3


@pytest.mark.parametrize("top", [1, 200, 65535, 2**31 - 1])
def test_integers_of_32_bits_are_refused_as_in_arrays(top: int) -> None:
    values = np.array([[0, top]], np.int32)
    unsigned = tiff(values.tobytes(), {256: 2, 257: 1, 258: 32, 262: 1, 277: 1})
    for source in (Image.fromarray(values), encoded(Image.fromarray(values), "TIFF"), unsigned):
        with pytest.raises(
            BadPicture, match="holds 32-bit integers, and nothing says which of them is white"
        ):
            open_picture(source)
    with pytest.raises(BadPicture, match="got int32"):
        open_picture(values)


def test_signed_and_floating_tiffs_are_refused() -> None:
    signed = tiff(np.array([[0, 9]], np.int16).tobytes(), {256: 2, 257: 1, 258: 16, 262: 1, 277: 1, 339: 2})
    with pytest.raises(BadPicture):
        open_picture(signed)
    with pytest.raises(BadPicture, match="holds floats"):
        open_picture(encoded(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"))

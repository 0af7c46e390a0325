"""Masks kept as pictures: alpha decides where there is some, every label belongs, doubt is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.errors import BadRegion
from deixis.pictures.masks import open_mask
from tests.pictures.made import encoded

INSIDE = np.zeros((40, 60), bool)
INSIDE[10:30, 20:40] = True  # 400 pixels


def clear_but(colour: tuple[int, ...]) -> Image.Image:
    pixels = np.zeros((40, 60, len(colour) + 1), np.uint8)
    pixels[INSIDE] = (*colour, 255)
    return Image.fromarray(pixels.squeeze(), "RGBA" if len(colour) == 3 else "LA")


def opaque(colour: tuple[int, int, int]) -> Image.Image:
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[INSIDE, :3] = colour
    return Image.fromarray(pixels)


def palette(clear: int) -> bytes:
    image = Image.fromarray(np.where(INSIDE, 1, 0).astype(np.uint8), "P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    return encoded(image, "PNG", transparency=clear)


def labels(*values: int, dtype: type = np.uint16) -> Image.Image:
    """The square is cut among the labels, in columns."""
    pixels = np.zeros((40, 60), dtype)
    for place, part in enumerate(np.array_split(np.arange(20, 40), len(values))):
        pixels[10:30, part] = values[place]
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "source",
    [
        clear_but((255, 255, 255)),
        clear_but((255, 0, 0)),
        clear_but((0, 0, 0)),
        clear_but((255,)),
        clear_but((0,)),
        clear_but((0, 0, 0)).convert("RGBa"),
        palette(0),
        encoded(Image.fromarray(np.where(INSIDE, 0, 255).astype(np.uint8)), "PNG", transparency=255),
        encoded(clear_but((0, 0, 0)), "WEBP", lossless=True),
        opaque((255, 255, 255)),
        opaque((255, 0, 0)),
    ],
)
def test_alpha_decides_where_some_is_transparent(source: Image.Image | bytes) -> None:
    source = source if isinstance(source, bytes) else source.copy()
    assert np.array_equal(open_mask(source), INSIDE)
    if isinstance(source, Image.Image) and source.mode in ("RGBA", "LA"):
        assert np.array_equal(open_mask(encoded(source)), INSIDE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize("values", [(1,), (200,), (1, 200), (1, 2, 3), (3, 1, 5, 90), (255,)])
def test_every_label_belongs(values: tuple[int, ...], dtype: type) -> None:
    image = labels(*values, dtype=dtype)
    assert np.array_equal(open_mask(image), INSIDE)
    assert np.array_equal(open_mask(encoded(image, "TIFF")), INSIDE)
    if dtype is not np.int32:
        assert np.array_equal(open_mask(encoded(image, "PNG")), INSIDE)


@pytest.mark.parametrize("white", [255, 65535])
def test_soft_edges_are_cut_in_the_middle(white: int) -> None:
    levels = np.linspace(0, white, 40).round().astype(np.uint8 if white == 255 else np.uint16)
    assert open_mask(Image.fromarray(levels[None]))[0].tolist() == [False] * 20 + [True] * 20


def test_a_lossy_mask_is_read_by_its_brightness() -> None:
    image = Image.fromarray(np.where(INSIDE, 255, 0).astype(np.uint8))
    assert (open_mask(encoded(image, "JPEG", quality=60)) == INSIDE).mean() > 0.995


def test_doubt_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    Image.fromarray(np.linspace(30, 150, 40).astype(np.uint8)[None]).save(path)
    with pytest.raises(
        BadRegion, match=r"mask m\.png has many grey levels, from 30 to 150; expected 0 and 255"
    ):
        open_mask(path, name=path.name)
    with pytest.raises(BadRegion, match="holds floats"):
        open_mask(Image.fromarray(np.zeros((2, 2), np.float32)))

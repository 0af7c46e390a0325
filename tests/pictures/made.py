"""Small pictures in every form that people have them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

# Four corners of different colours, wider than high, so that every turn can be told apart.
CORNERS = np.array(
    [
        [[255, 0, 0], [255, 0, 0], [0, 255, 0], [0, 255, 0]],
        [[0, 0, 255], [0, 0, 255], [255, 255, 255], [255, 255, 255]],
    ],
    dtype=np.uint8,
)


def corners(*, scale: int = 8) -> Image.Image:
    """Red, green / blue, white: in blocks that survive JPEG."""
    return Image.fromarray(np.repeat(np.repeat(CORNERS, scale, axis=0), scale, axis=1))


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """An image as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def colours(pixels: np.ndarray, *, tolerance: int = 12) -> list[list[str]]:
    """The names of the corners' colours, from the middle of each quarter."""
    names = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    height, width = pixels.shape[:2]

    def name(y: int, x: int) -> str:
        near = [n for n, c in names.items() if np.abs(pixels[y, x].astype(int) - c).max() <= tolerance]
        return near[0] if near else str(pixels[y, x].tolist())

    return [[name(y, x) for x in (width // 4, width * 3 // 4)] for y in (height // 4, height * 3 // 4)]


UPRIGHT = [["red", "green"], ["blue", "white"]]

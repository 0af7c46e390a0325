"""A picture as everything here sees it: RGB pixels, and the frame that coordinates in them have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import BadPicture
from deixis.regions.frames import Frame


@dataclass(frozen=True)
class Decoded:
    """A Pillow image and the array of its pixels: of that very array and of no other."""

    image: Image.Image
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """RGB pixels (H, W, 3) uint8 and the frame that their coordinates are in.

    decoded: the image that Pillow made these pixels from, where it did and they are few: resizing need not
    copy them back.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    frame: Frame
    name: str = ""
    decoded: Decoded | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise BadPicture(
                f"pixels are uint8 of shape height x width x 3; got {self.pixels.dtype} {self.pixels.shape}"
            )
        if self.pixels.shape[1::-1] != tuple(map(round, self.frame.size)):
            raise BadPicture(f"pixels of shape {self.pixels.shape} don't fit the frame {self.frame}")

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    def image(self) -> Image.Image:
        """Return the picture for Pillow, to be read only."""
        if self.decoded is not None and self.decoded.pixels is self.pixels:
            return self.decoded.image
        return Image.fromarray(self.pixels)


def wrap(pixels: NDArray[np.uint8], *, name: str) -> Picture:
    """Return pixels as a picture in a frame of its own."""
    own = np.array(pixels, order="C")  # what the caller does to its array later is no business of ours
    own.setflags(write=False)
    return Picture(own, frame_of(own), name)


def frame_of(pixels: NDArray[np.uint8]) -> Frame:
    """Return the frame of a picture whose pixels (H, W, 3) are these."""
    height, width = pixels.shape[:2]
    return Frame.original(width, height, content=digest_of(pixels))


def digest_of(pixels: NDArray[np.uint8]) -> str:
    """Return by what pixels are known: equal ones have the same digest."""
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).hexdigest()

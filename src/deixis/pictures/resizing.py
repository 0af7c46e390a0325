"""Resizing, by one rule whose result is the same whatever Pillow is installed.

Pillow resizes one axis, rounds to uint8, and resizes the other. Which axis comes first changed in Pillow 13;
since the result depends on it, the order is stated here and each pass is asked for alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.opening import LARGEST_PIXELS, Picture

Order = Literal["width_first", "pillow13"]

WORTH_SHARING = 1_000_000  # pixels; below, starting threads takes longer than they save
LARGEST_STRIP = LARGEST_PIXELS // 2  # pixels; Pillow doesn't cut out more than its limit for pictures


def resize(
    picture: Picture,
    width: int,
    height: int,
    *,
    order: Order = "width_first",
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Picture:
    """Return the picture at another size, with its frame.

    order: "width_first" is every Pillow before 13 and what released weights were trained with; "pillow13"
    takes the height first where that is cheaper.

    >>> from deixis.pictures.opening import open_picture
    >>> resize(open_picture(np.zeros((4, 8, 3), dtype=np.uint8)), 4, 2).frame.scale
    (0.5, 0.5)
    """
    pixels = resize_pixels(picture.pixels, width, height, order=order, resample=resample)
    return Picture(pixels, picture.frame.resized(width, height), picture.name)


def resize_each(
    picture: Picture,
    sizes: Sequence[tuple[int, int]],
    *,
    order: Order = "width_first",
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> list[Picture]:
    """Return the picture at several sizes (width, height), the same as one by one.

    Sizes whose first pass is the same share it; of a screenshot made small it is the longer one. A large
    picture is shared among as many threads as torch has: Pillow lets others run while it resizes.
    """
    import torch  # here, so that regions and pictures can be used without waiting for it

    image, size = picture.image(), (picture.width, picture.height)
    firsts = [first_pass(*size, *one, order=order) for one in sizes]
    threads = torch.get_num_threads() if picture.width * picture.height >= WORTH_SHARING else 1
    strips = max(threads, -(-picture.width * picture.height // LARGEST_STRIP))
    with ThreadPoolExecutor(threads) as pool:
        passes = {one: pass_in_strips(image, one, resample, pool=pool, strips=strips) for one in set(firsts)}
        # A pass that changes nothing is skipped by Pillow itself.
        each = pool.map if threads > 1 else map
        images = each(lambda first, size: passes[first].resize(size, resample), firsts, sizes)
        return [
            Picture(np.asarray(resized), picture.frame.resized(*resized.size), picture.name)
            for resized in images
        ]


def pass_in_strips(
    image: Image.Image, size: tuple[int, int], resample: Image.Resampling, *, pool: Executor, strips: int
) -> Image.Image:
    """Return a picture with one axis resized, each strip along that axis by itself.

    A pass along one axis reads no other row (or column), so strips give the bytes of the whole.
    """
    upright = image.width == size[0]
    across = image.width if upright else image.height
    strips = min(strips, across)
    if strips == 1 or image.size == size:
        return image.resize(size, resample)
    ends = [across * number // strips for number in range(strips + 1)]

    def strip(start: int, end: int) -> Image.Image:
        if upright:
            return image.crop((start, 0, end, image.height)).resize((end - start, size[1]), resample)
        return image.crop((0, start, image.width, end)).resize((size[0], end - start), resample)

    whole = Image.new(image.mode, size)
    for start, part in zip(ends[:-1], pool.map(strip, ends[:-1], ends[1:]), strict=True):
        whole.paste(part, (start, 0) if upright else (0, start))
    return whole


def resize_pixels(
    pixels: NDArray[np.uint8],
    width: int,
    height: int,
    *,
    order: Order = "width_first",
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> NDArray[np.uint8]:
    """Return pixels (h, w, 3) uint8 at (height, width, 3)."""
    first = first_pass(pixels.shape[1], pixels.shape[0], width, height, order=order)
    # A pass that changes nothing is skipped by Pillow itself.
    return np.asarray(Image.fromarray(pixels).resize(first, resample).resize((width, height), resample))


def first_pass(own_width: int, own_height: int, width: int, height: int, *, order: Order) -> tuple[int, int]:
    """Return the width and height after the first of the two passes."""
    if width < 1 or height < 1 or width * height > LARGEST_PIXELS:
        raise BadPicture(f"cannot resize to {width} x {height}: expected 1 to {LARGEST_PIXELS:,} pixels")
    if order not in ("width_first", "pillow13"):
        raise ValueError(f"order is 'width_first' or 'pillow13'; got {order!r}")
    if order == "pillow13" and own_height - height > max(0, 2 * (own_width - width)):
        return own_width, height
    return width, own_height


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size with the same proportions whose longer side is ``side``.

    >>> fitted_size(400, 200, 192)
    (192, 96)
    """
    scale = side / max(width, height)
    return max(round(width * scale), 1), max(round(height * scale), 1)

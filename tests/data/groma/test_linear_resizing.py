"""Resizing by two neighbours on each axis."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.data.groma.linear_resizing import linear_pixels, resize_linear
from deixis.errors import BadPicture
from deixis.pictures.opening import open_picture


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "size", [(7, 5, 30, 40), (300, 200, 64, 64), (1, 1, 9, 4), (9, 40, 9, 17), (40, 9, 13, 9)]
)
def test_it_is_within_a_grey_level_of_the_same_in_real_numbers(size: tuple[int, int, int, int]) -> None:
    own_width, own_height, width, height = size
    pixels = noise(own_width, own_height).astype(float)
    xs = np.clip((np.arange(width) + 0.5) * own_width / width - 0.5, 0, own_width - 1)
    ys = np.clip((np.arange(height) + 0.5) * own_height / height - 0.5, 0, own_height - 1)
    across = np.stack(
        [np.stack([np.interp(xs, range(own_width), row[:, c]) for c in range(3)], -1) for row in pixels]
    )
    both = np.stack(
        [
            np.stack([np.interp(ys, range(own_height), across[:, x, c]) for c in range(3)], -1)
            for x in range(width)
        ],
        1,
    )
    ours = linear_pixels(pixels.astype(np.uint8), width, height)
    assert ours.shape == (height, width, 3)
    assert np.abs(ours - both).max() <= 1.01


RECORDED = [
    [95, 144, 217, 96, 15],
    [95, 144, 217, 96, 15],
    [121, 162, 223, 105, 27],
    [155, 186, 233, 118, 42],
    [189, 210, 241, 131, 57],
    [215, 228, 248, 141, 69],
    [215, 228, 248, 140, 69],
]


def test_known_bytes() -> None:
    # Recorded with OpenCV 4.10 and 5.0, which agree: the first and the last rows of this lose a bit.
    ours = linear_pixels(noise(3, 2), 5, 7)
    assert ours[:, :, 0].tolist() == RECORDED


def test_half_the_size_is_the_mean_of_four() -> None:
    pixels = noise(8, 6)
    fours = pixels.reshape(3, 2, 4, 2, 3).astype(int).sum(axis=(1, 3))
    assert np.array_equal(linear_pixels(pixels, 4, 3), (fours + 2) // 4)


@pytest.mark.parametrize("size", [(9, 7), (16, 12), (50, 61), (8, 6)])
def test_a_window_is_a_part_of_the_whole(size: tuple[int, int]) -> None:
    pixels = noise(16, 12)
    whole = linear_pixels(pixels, *size)
    assert np.array_equal(linear_pixels(pixels, *size, window=(2, 1, 5, 4)), whole[1:5, 2:7])


def test_the_same_size_is_the_same_picture_and_a_copy() -> None:
    pixels = noise(8, 6)
    ours = linear_pixels(pixels, 8, 6)
    assert np.array_equal(ours, pixels) and ours is not pixels


def test_the_frame_follows() -> None:
    picture = open_picture(noise(40, 20))
    seen = resize_linear(picture, 20, 20)
    assert seen.frame.scale == (0.5, 1.0)
    assert seen.frame.root == picture.frame


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (10**6, 10**6)])
def test_impossible_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadPicture, match="cannot resize"):
        linear_pixels(noise(4, 4), *size)

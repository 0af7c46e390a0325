"""One resize rule, the same whatever Pillow is installed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deixis.errors import BadPicture
from deixis.pictures.opening import open_picture
from deixis.pictures.resizing import Order, fitted_size, pass_in_strips, resize, resize_each, resize_pixels

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


def noise(width: int, height: int, *, seed: int = 0) -> np.ndarray:
    """Pixels without any order, on which every difference shows."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def by_axis(
    pixels: np.ndarray, width: int, height: int, *, horizontal_first: bool, resample: int
) -> np.ndarray:
    """One axis, rounded to uint8, then the other."""
    image = Image.fromarray(pixels)
    between = (width, image.height) if horizontal_first else (image.width, height)
    return np.asarray(image.resize(between, resample).resize((width, height), resample))


def vertical_first(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Pillow 13's rule for a picture of w x h resized to W x H."""
    (w, h), (new_width, new_height) = before, after
    return h - new_height > 0 and h - new_height > 2 * (w - new_width)


@settings(max_examples=150, deadline=None)
@given(sizes, sizes, st.sampled_from([Image.Resampling.BICUBIC, Image.Resampling.BILINEAR]))
def test_both_orders_are_as_stated(
    before: tuple[int, int], after: tuple[int, int], resample: Image.Resampling
) -> None:
    pixels = noise(*before)
    across = by_axis(pixels, *after, horizontal_first=True, resample=resample)
    ours = resize_pixels(pixels, *after, order="width_first", resample=resample)
    assert np.array_equal(ours, across)
    expected = by_axis(pixels, *after, horizontal_first=not vertical_first(before, after), resample=resample)
    ours = resize_pixels(pixels, *after, order="pillow13", resample=resample)
    assert np.array_equal(ours, expected)


@pytest.mark.parametrize(
    ("before", "after", "vertical"),
    [
        ((40, 40), (20, 20), False),  # 20 > 40 does not hold
        ((40, 40), (30, 19), True),  # 21 > 20
        ((40, 40), (30, 20), False),  # 20 > 20 does not hold
        ((40, 40), (60, 39), True),  # 1 > -40, and above 0
        ((40, 40), (60, 40), False),  # 0 is not above 0
        ((40, 40), (60, 50), False),
        ((40, 40), (40, 39), True),
    ],
)
def test_when_pillow_13_takes_the_height_first(
    before: tuple[int, int], after: tuple[int, int], vertical: bool
) -> None:
    assert vertical_first(before, after) is vertical
    pixels = noise(*before)
    both = [by_axis(pixels, *after, horizontal_first=first, resample=3) for first in (True, False)]
    assert np.array_equal(resize_pixels(pixels, *after, order="pillow13"), both[vertical])


def test_the_orders_differ_where_they_should() -> None:
    pixels = noise(40, 40)
    assert not np.array_equal(resize_pixels(pixels, 30, 19), resize_pixels(pixels, 30, 19, order="pillow13"))


def test_width_first_is_the_default() -> None:
    pixels = noise(40, 40)
    assert np.array_equal(resize_pixels(pixels, 30, 19), resize_pixels(pixels, 30, 19, order="width_first"))


@settings(max_examples=60, deadline=None)
@given(sizes, sizes)
def test_this_pillow_follows_one_of_the_orders(before: tuple[int, int], after: tuple[int, int]) -> None:
    """Either order is one that some Pillow really takes."""
    pixels = noise(*before)
    own = np.asarray(Image.fromarray(pixels).resize(after, Image.Resampling.BICUBIC))
    orders: tuple[Order, ...] = ("width_first", "pillow13")
    assert any(np.array_equal(own, resize_pixels(pixels, *after, order=order)) for order in orders)


def test_a_resized_picture_knows_where_it_came_from() -> None:
    picture = open_picture(noise(40, 30), name="noise")
    small = resize(picture, 20, 10)
    assert small.frame == picture.frame.resized(20, 10) and small.name == "noise"
    assert np.array_equal(small.pixels, resize_pixels(picture.pixels, 20, 10))
    assert np.array_equal(resize(picture, 40, 30).pixels, picture.pixels)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5), (10_001, 10_000)])
def test_sizes_that_are_none(width: int, height: int) -> None:
    with pytest.raises(
        BadPicture, match=rf"cannot resize to {width} x {height}: expected 1 to 100,000,000 pixels"
    ):
        resize_pixels(noise(4, 4), width, height)


def test_an_order_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="order is 'width_first' or 'pillow13'; got 'height_first'"):
        resize_pixels(noise(4, 4), 2, 2, order="height_first")  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 1000))
def test_a_fitted_size_fills_the_side(width: int, height: int, side: int) -> None:
    fitted = fitted_size(width, height, side)
    assert max(fitted) == side and min(fitted) >= 1
    scale = side / max(width, height)
    assert abs(fitted[0] - width * scale) <= 1 and abs(fitted[1] - height * scale) <= 1


@settings(max_examples=60, deadline=None)
@given(sizes, st.lists(sizes, max_size=4), st.sampled_from(["width_first", "pillow13"]))
def test_several_sizes_are_those_one_by_one(
    before: tuple[int, int], after: list[tuple[int, int]], order: Order
) -> None:
    picture = open_picture(noise(*before))
    together = resize_each(picture, after, order=order)
    assert len(together) == len(after)
    for size, ours in zip(after, together, strict=True):
        alone = resize(picture, *size, order=order)
        assert np.array_equal(ours.pixels, alone.pixels)
        assert ours.frame == alone.frame


def test_one_size_that_is_none() -> None:
    picture = open_picture(noise(3, 4))
    with pytest.raises(BadPicture, match="0 x 5"):
        resize_each(picture, [(5, 5), (0, 5)])


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 60), st.booleans(), st.integers(1, 4))
def test_strips_give_the_bytes_of_the_whole(
    before: tuple[int, int], after: int, upright: bool, strips: int
) -> None:
    image = Image.fromarray(noise(*before))
    size = (image.width, after) if upright else (after, image.height)
    with ThreadPoolExecutor(2) as pool:
        ours = pass_in_strips(image, size, Image.Resampling.BICUBIC, pool=pool, strips=strips)
    assert np.array_equal(np.asarray(ours), np.asarray(image.resize(size, Image.Resampling.BICUBIC)))


@pytest.mark.parametrize("order", ["width_first", "pillow13"])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_large_picture_is_shared_among_threads(
    order: Order, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deixis.pictures.resizing.WORTH_SHARING", 1)
    monkeypatch.setattr("torch.get_num_threads", lambda: threads)
    picture = open_picture(noise(70, 90))
    after = [(30, 20), (30, 90), (70, 20), (70, 90), (140, 7)]
    for size, ours in zip(after, resize_each(picture, after, order=order), strict=True):
        assert np.array_equal(ours.pixels, resize(picture, *size, order=order).pixels)

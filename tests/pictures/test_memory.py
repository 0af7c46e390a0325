"""Large originals are in memory once, and not at all when nobody holds them any more."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from deixis.pictures.opening import KEPT_TWICE, open_picture
from deixis.pictures.resizing import resize_each, resize_pixels
from tests.pictures.made import encoded
from tests.systems.pointer.tiny import tiny_system

SIDES = (2600, 1700)  # 4.4 million pixels


def held(value: Any, seen: set[int]) -> Iterator[Any]:
    """All that an object holds, directly or not, but for types and modules."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type(np) | type):
            continue
        seen.add(id(one))
        yield one
        waiting += gc.get_referents(one)


def large() -> bytes:
    assert SIDES[0] * SIDES[1] > KEPT_TWICE
    return encoded(Image.linear_gradient("L").resize(SIDES).convert("RGB"), "PNG", compress_level=1)


def test_a_large_picture_is_kept_once_and_resized_the_same() -> None:
    picture = open_picture(large())
    assert picture.decoded is None
    assert not any(isinstance(one, Image.Image) for one in held(picture.__dict__, set()))
    (small,) = resize_each(picture, [(97, 61)])
    assert np.array_equal(small.pixels, resize_pixels(picture.pixels, 97, 61))


def test_the_memory_of_encoded_pictures_holds_no_original() -> None:
    system, picture = tiny_system(), open_picture(large())
    original = weakref.ref(picture.pixels)
    (answer,) = system.ask(picture, ["What is here?"])
    assert len(system.encoded_pictures) == 1
    arrays = [one for one in held(system.encoded_pictures.__dict__, set()) if isinstance(one, np.ndarray)]
    assert arrays and max(one.nbytes for one in arrays) < picture.pixels.nbytes / 10
    assert not any(isinstance(one, Image.Image) for one in held(system.encoded_pictures.__dict__, set()))
    del picture, answer, arrays
    gc.collect()
    assert original() is None

"""Regions as Python has them at hand: four numbers, two numbers, an array of booleans."""

from __future__ import annotations

from typing import Any

import numpy as np

from deixis.errors import UsageError
from deixis.regions.shapes import Box, Mask, Point, Region


def region_of(value: Any, *, name: str = "it") -> Region:
    """Return the region that a value is: itself, or what plain values stand for, in pixels of the picture.

    Four numbers are a box x0, y0, x1, y1, two are a point x, y; an array of booleans (H, W) is a mask.
    UsageError: anything else; name: what the region is called, for the message.

    >>> region_of((10, 20, 30, 40)).as_tuple(), region_of(np.array([5, 6])).x
    ((10.0, 20.0, 30.0, 40.0), 5.0)
    >>> int(region_of(np.eye(3, dtype=bool)).rasterise().sum())
    3
    """
    if isinstance(value, Region):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype == bool:
        return Mask.from_array(value)
    if isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim == 1):
        numbers = list(value)
        if len(numbers) == 4 and all(map(is_number, numbers)):
            return Box(*map(float, numbers))
        if len(numbers) == 2 and all(map(is_number, numbers)):
            return Point(*map(float, numbers))
    raise UsageError(
        f"{name}={described(value)} is not a region; expected Point, Box, Polygon, Scribble or Mask, for "
        f"instance {name}=deixis.Box(10, 20, 110, 220); four numbers (x0, y0, x1, y1), two (x, y), or an "
        "array of booleans (height, width)"
    )


def is_number(value: object) -> bool:
    """Tell whether a value is a number; True and False are none."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def described(value: object) -> str:
    """Return a value for a message: an array by its shape and type."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"{value!r:.60}"

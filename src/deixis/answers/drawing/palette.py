"""Colours of drawn answers, apart for colour-blind readers too, and the ink that is readable on each."""

from __future__ import annotations

from typing import TypeAlias

Colour: TypeAlias = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
# The eight colours of Okabe and Ito without black, those that differ most from their neighbours first.
COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermilion
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (204, 121, 167),  # reddish purple
)


def colour_of(number: int) -> Colour:
    """Return the colour of a span by its place in the answer; after seven they begin anew."""
    return COLOURS[number % len(COLOURS)]


def ink_on(ground: Colour) -> Colour:
    """Return black or white, whichever contrasts more with a ground.

    >>> ink_on((240, 228, 66)), ink_on((0, 114, 178))
    ((0, 0, 0), (255, 255, 255))
    """
    light = luminance(ground) + 0.05
    return BLACK if light / 0.05 > 1.05 / light else WHITE


def luminance(colour: Colour) -> float:
    """Return how bright an sRGB colour is, from 0 to 1."""
    red, green, blue = (
        (value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4) for value in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

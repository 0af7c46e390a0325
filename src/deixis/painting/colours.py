"""The colours that words can name, and colours that stand out from a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from deixis.errors import UsageError

RGB = tuple[int, int, int]
# In the order in which the published program draws from them.
NAMED: Mapping[str, RGB] = MappingProxyType(
    {
        "red": (255, 0, 0),
        "lime": (0, 255, 0),
        "blue": (0, 0, 255),
        "yellow": (255, 255, 0),
        "fuchsia": (255, 0, 255),
        "aqua": (0, 255, 255),
        "orange": (255, 165, 0),
        "purple": (128, 0, 128),
        "gold": (255, 215, 0),
    }
)
# Of named colours that look alike one is enough where a mark has to be told from others.
DISTINCT = ("red", "lime", "blue", "yellow", "fuchsia", "aqua", "orange", "purple")


@dataclass(frozen=True)
class Colour:
    """An RGB colour, with the word for it if it has one."""

    rgb: RGB
    name: str | None = None

    def __post_init__(self) -> None:
        whole = all(isinstance(part, int) and not isinstance(part, bool) for part in self.rgb)
        if len(self.rgb) != 3 or not whole or not all(0 <= part <= 255 for part in self.rgb):
            raise UsageError(
                f"colour {self.rgb!r}; expected three whole numbers from 0 to 255, e.g. (255, 0, 0)"
            )


def named(name: str) -> Colour:
    """Return the colour of that name; UsageError if words have none."""
    if name not in NAMED:
        raise UsageError(f"no colour {name!r}; the named ones are {', '.join(NAMED)}, or give (R, G, B)")
    return Colour(NAMED[name], name)


def colour_of(value: str | Sequence[int] | Colour) -> Colour:
    """Return a colour by its name or its three numbers, which get the name they have, if any.

    >>> colour_of((255, 0, 0)).name, colour_of("blue").rgb
    ('red', (0, 0, 255))
    """
    if isinstance(value, Colour):
        return value
    if isinstance(value, str):
        return named(value)
    try:
        red, green, blue = value
    except (TypeError, ValueError):
        raise UsageError(f"colour {value!r}; expected a name or three numbers (R, G, B)") from None
    rgb = (red, green, blue)
    return Colour(rgb, next((name for name, known in NAMED.items() if known == rgb), None))


def standing_out(under: NDArray[np.uint8], *, taken: Sequence[str | None] = ()) -> Colour:
    """Return the named colour that is farthest from the pixels (n, 3) it will lie on.

    Distances are measured in a rough perceptual space (weighted RGB), at the lower quartile of pixels.
    Colours already taken come last: a word should say one mark.
    """
    pixels = under.reshape(-1, 3).astype(np.float64)
    free = [name for name in DISTINCT if name not in taken] or list(DISTINCT)
    if not len(pixels):
        return named(free[0])
    # The lower quartile over pixels: a colour that vanishes on a quarter of its outline is a bad one.
    weights = np.array([2.0, 4.0, 3.0])
    far = {name: float(np.quantile(((pixels - NAMED[name]) ** 2 @ weights) ** 0.5, 0.25)) for name in free}
    return named(max(free, key=lambda name: far[name]))

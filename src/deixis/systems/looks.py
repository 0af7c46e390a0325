"""What a system looked at when it said where something is: a map of shares, or the boxes it chose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deixis.answers.grounded import Place
from deixis.regions.frames import Frame, convert

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Look:
    """What was looked at for one phrase.

    phrase: of the answer; empty where it was looked at whatever the question. map: shares (H, W) of the cells
    of a grid, each 0 or more; they and ``nowhere`` add up to 1. corners: x0 y0 x1 y1 of that grid in pixels
    of the original, beyond its edges where the network was given a padded picture. places: the boxes that
    were there to choose from, best first. Either a map or places.
    """

    phrase: str
    map: NDArray[np.float32] | None = field(default=None, repr=False)
    corners: Corners = (0.0, 0.0, 0.0, 0.0)
    nowhere: float = 0.0
    places: Sequence[Place] = ()


def corners_of(view: Frame, original: Frame) -> Corners:
    """Return the corners of a view in pixels of the original.

    >>> picture = Frame.original(200, 100)
    >>> corners_of(picture.resized(100, 50).padded(100, 100, left=0, top=0), picture)
    (0.0, 0.0, 200.0, 200.0)
    """
    width, height = view.size
    x0, y0, x1, y1 = convert([[0.0, 0.0], [width, height]], view, original).ravel().tolist()
    return x0, y0, x1, y1

"""The pixels that a region covers in a picture, countable and drawable without a mask of the whole picture.

Pixels are numbered x first, then y (all of column 0 from the top, then column 1, ...): the order in which the
Ferret family lists them, and that of COCO's run lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion

LARGEST_PICTURE = 1_000_000_000  # pixels; runs take no memory for them


@dataclass(frozen=True, eq=False)
class RegionPixels:
    """Pixels of a picture of ``width`` x ``height``, as runs of consecutive numbers x * height + y.

    begins, ends: int64 (runs,): run i holds the pixels begins[i] to ends[i] - 1; runs are ordered, none is
    empty. A region may cover no pixel at all; only drawing from it is an error.

    >>> pixels = RegionPixels.rectangle(1, 0, 3, 2, width=4, height=3)
    >>> pixels.count, pixels.take([0, 1, 2]).tolist()
    (4, [[1, 0], [1, 1], [2, 0]])
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    width: int
    height: int

    def __post_init__(self) -> None:
        check_size(self.width, self.height)
        begins, ends = np.asarray(self.begins, np.int64), np.asarray(self.ends, np.int64)
        ordered = begins.ndim == 1 and begins.shape == ends.shape and bool((begins < ends).all())
        if not ordered or (begins[1:] < ends[:-1]).any():
            raise BadRegion(
                "runs of pixels must be ordered, apart and not empty; use rectangle, from_mask or from_runs"
            )
        if begins.size and (begins[0] < 0 or ends[-1] > self.width * self.height):
            raise BadRegion(
                f"runs reach from {begins[0]} to {ends[-1]}, but {self.width} x {self.height} pixels "
                f"have the numbers 0 to {self.width * self.height - 1}; were width and height exchanged?"
            )
        object.__setattr__(self, "begins", begins)
        object.__setattr__(self, "ends", ends)

    @classmethod
    def rectangle(cls, x0: int, y0: int, x1: int, y1: int, *, width: int, height: int) -> Self:
        """Return the pixels x0 <= x < x1, y0 <= y < y1 that lie in the picture (perhaps none)."""
        check_size(width, height)
        left, right = max(x0, 0), min(x1, width)
        top, bottom = max(y0, 0), min(y1, height)
        columns = np.arange(left, max(right, left), dtype=np.int64) * height
        if top >= bottom:
            columns = columns[:0]
        return cls(columns + top, columns + bottom, width, height)

    @classmethod
    def from_mask(cls, mask: NDArray[np.generic]) -> Self:
        """Return the pixels that are not 0 in an array (H, W)."""
        array = np.asarray(mask)
        if array.ndim != 2 or array.size == 0:
            raise BadRegion(f"a mask is an array of height x width; got shape {array.shape}")
        height, width = array.shape
        check_size(width, height)
        inside = array if array.dtype == np.bool_ else array != 0
        # Only the pixels where a column changes are put in order, not the whole mask: transposing costs more.
        changes = np.flatnonzero(inside[1:] != inside[:-1])
        y, x = np.divmod(changes, width)
        numbers = x * height + y + 1
        enters = inside[y + 1, x]
        tops, bottoms = np.flatnonzero(inside[0]) * height, np.flatnonzero(inside[-1]) * height + height
        begins = np.sort(np.concatenate([tops, numbers[enters]]))
        ends = np.sort(np.concatenate([bottoms, numbers[~enters]]))
        return cls(begins, ends, width, height)

    @classmethod
    def from_runs(cls, runs: Sequence[int], *, width: int, height: int) -> Self:
        """Return the pixels of COCO's run lengths (column by column, a run of pixels outside comes first)."""
        check_size(width, height)
        lengths = np.asarray(runs, dtype=np.int64)
        if lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != width * height:
            raise BadRegion(
                f"mask runs add up to {lengths.sum()}, expected {width} x {height} = {width * height}"
            )
        edges = np.cumsum(lengths)
        begins, ends = edges[:-1:2], edges[1::2]
        filled = begins < ends
        return cls(begins[filled], ends[filled], width, height)

    @property
    def count(self) -> int:
        """How many pixels there are."""
        return int((self.ends - self.begins).sum())

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
        """Return x and y, int64 (n, 2), of the pixels with these places (0 to count - 1) in x-major order."""
        places = np.asarray(indices, dtype=np.int64)
        before = np.concatenate([[0], np.cumsum(self.ends - self.begins)])
        if places.size and (places.min() < 0 or places.max() >= before[-1]):
            raise BadRegion(
                f"pixels {places.min()} to {places.max()} were asked for; the region has {before[-1]}, "
                "numbered from 0"
            )
        run = np.searchsorted(before, places, side="right") - 1
        numbers = self.begins[run] + places - before[run] if places.size else places
        return np.stack(np.divmod(numbers, self.height), axis=-1)

    def mask(self) -> NDArray[np.bool_]:
        """Return the pixels as an array (H, W)."""
        steps = np.zeros(self.width * self.height + 1, dtype=np.int8)
        steps[self.begins] += 1
        steps[self.ends] -= 1
        inside = np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
        return inside.reshape((self.height, self.width), order="F")


def check_size(width: int, height: int) -> None:
    """Raise BadRegion unless a picture of this size is usable."""
    if width < 1 or height < 1 or width * height > LARGEST_PICTURE:
        raise BadRegion(
            f"a picture of {width} x {height} pixels is not usable; expected at least 1 x 1 and at most "
            f"{LARGEST_PICTURE:,} pixels"
        )

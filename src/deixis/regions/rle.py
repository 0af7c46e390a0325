"""Run-length encoding of masks, compatible with COCO: column by column, runs of 0 first.

The compressed form packs each run (from the third on, its difference to the run two before) into characters
of five bits and a continuation bit, offset by 48.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion

LARGEST_MASK = 100_000_000  # pixels
LONGEST_RUN = 8  # characters: 40 bits, and no sum of a file's runs is too long for 64


def encode_runs(mask: NDArray[np.bool_]) -> list[int]:
    """Return the runs of a mask (H, W), column-major, beginning with a run of False (maybe 0 long).

    >>> encode_runs(np.array([[True, False], [True, True]]))
    [0, 2, 1, 1]
    """
    flat = np.asarray(mask, dtype=bool).ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(edges).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def check_runs(runs: Sequence[int], *, height: int, width: int) -> None:
    """Raise BadRegion unless column-major runs add up to a mask of that size; nothing is expanded."""
    if height < 1 or width < 1 or height * width > LARGEST_MASK:
        raise BadRegion(f"a mask of {width} x {height} pixels is not usable; at most {LARGEST_MASK:,} pixels")
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise BadRegion(f"mask runs add up to {sum(runs)}, expected {width} x {height} = {width * height}")


def decode_runs(runs: Sequence[int], *, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask (H, W) of column-major runs; BadRegion if they don't add up to its size."""
    check_runs(runs, height=height, width=width)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape((height, width), order="F")


def intervals(runs: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the filled runs begin and end, as numbers x * height + y; none is empty.

    >>> [edges.tolist() for edges in intervals([1, 2, 1, 0, 3])]
    [[1], [3]]
    """
    edges = np.cumsum(np.asarray(runs, dtype=np.int64))
    begins, ends = edges[:-1:2], edges[1::2]
    filled = begins < ends
    return begins[filled], ends[filled]


def bounds_of_runs(runs: Sequence[int], *, height: int) -> tuple[int, int, int, int]:
    """Return x0 y0 x1 y1 of the smallest box around the pixels of runs that have some.

    >>> bounds_of_runs([1, 2, 5], height=4)
    (0, 1, 1, 3)
    """
    begins, ends = intervals(runs)
    columns, last_columns = begins // height, (ends - 1) // height
    # A run that goes on in the next column has the last row of one and the first of the other.
    over = bool((columns != last_columns).any())
    y0, y1 = (0, height) if over else (int((begins % height).min()), int(((ends - 1) % height).max()) + 1)
    return int(columns[0]), y0, int(last_columns[-1]) + 1, y1


def shared_area(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many pixels two masks of one size share.

    >>> shared_area([0, 3, 1], [1, 3])
    2
    """
    (begins, ends), (others, other_ends) = intervals(first), intervals(second)
    places = np.unique(np.concatenate([begins, ends, others, other_ends]))
    if not places.size:
        return 0

    def filled(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.bool_]:
        inside = np.searchsorted(starts, places[:-1], side="right")
        return inside > np.searchsorted(stops, places[:-1], side="right")

    return int(np.diff(places)[filled(begins, ends) & filled(others, other_ends)].sum())


def compress(runs: list[int]) -> str:
    """Return runs as COCO's compressed string.

    >>> decompress(compress([3, 4, 70, 2, 9]))
    [3, 4, 70, 2, 9]
    """
    characters = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            characters.append(chr(48 + (bits | 0x20 if more else bits)))
    return "".join(characters)


def decompress(text: str) -> list[int]:
    """Return the runs of COCO's compressed string; BadRegion if it is cut or has other characters."""
    try:
        bits = np.frombuffer(text.encode("latin-1"), dtype=np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError as fault:
        raise BadRegion(f"{text[:40]!r} is not a compressed COCO mask") from fault
    last = np.flatnonzero(bits & 0x20 == 0)  # the last character of each run
    lengths = np.diff(last, prepend=-1)
    rest = bits.size - 1 - (last[-1] if last.size else -1)
    if ((bits < 0) | (bits >= 64)).any() or max(lengths.max(initial=0), rest) > LONGEST_RUN:
        raise BadRegion(f"{text[:40]!r} is not a compressed COCO mask")
    if rest:
        raise BadRegion(f"the compressed COCO mask {text[:40]!r} ends in the middle of a run")
    if not bits.size:
        return []
    places = np.arange(bits.size) - np.repeat(last - lengths + 1, lengths)
    values = np.add.reduceat((bits & 0x1F) << (5 * places), last - lengths + 1)
    values -= np.where(bits[last] & 0x10, 1 << (5 * lengths), 0)
    for first in (1, 2):  # from the third on, each is the difference to the run two before
        values[first::2] = np.cumsum(values[first::2])
    return values.tolist()

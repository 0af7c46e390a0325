"""Run-length encoding of masks, compatible with COCO: column by column, runs of 0 first.

The compressed form packs each run (from the third on, its difference to the run two before) into characters
of five bits and a continuation bit, offset by 48.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.errors import BadRegion

LARGEST_MASK = 100_000_000  # pixels


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


def decode_runs(runs: list[int], *, height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask (H, W) of column-major runs; BadRegion if they don't add up to its size."""
    if height < 1 or width < 1 or height * width > LARGEST_MASK:
        raise BadRegion(f"a mask of {width} x {height} pixels is not usable; at most {LARGEST_MASK:,} pixels")
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise BadRegion(f"mask runs add up to {sum(runs)}, expected {width} x {height} = {width * height}")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape((height, width), order="F")


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
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise BadRegion(f"{text[:40]!r} is not a compressed COCO mask")
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value = shift = 0
    if shift:
        raise BadRegion(f"the compressed COCO mask {text[:40]!r} ends in the middle of a run")
    return runs

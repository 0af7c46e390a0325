"""Whether output still says the same: words to the letter, times not at all, decimals nearly."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

TIME = re.compile(r'\d+\.\d+(?= s\b)|(?<="seconds": )\d+\.\d+|(?<="seconds":)\d+\.\d+')
# Of pixels as this machine's JPEG library decodes them.
DIGEST = re.compile(r'(?<="digest": ")[0-9a-f]{32}')
DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
MOST_DECIMALS = 2  # of a number that are compared: another CPU rounds otherwise
SAME_PIXELS = 2.0  # grey values that two pictures may differ by, on average


def alike(first: str, second: str) -> bool:
    """Tell whether two outputs are the same but for times and the last digit of decimals.

    >>> alike("box 1.0, 2.5 (0.20 s)", "box 1.1, 2.5 (0.35 s)"), alike("box 1.0", "box 1.4")
    (True, False)
    """
    first, second = (DIGEST.sub("D", TIME.sub("…", text)) for text in (first, second))
    if DECIMAL.sub("N", first) != DECIMAL.sub("N", second):
        return False
    pairs = zip(DECIMAL.findall(first), DECIMAL.findall(second), strict=True)
    return all(abs(float(one) - float(other)) <= tolerance(one, other) for one, other in pairs)


def tolerance(one: str, other: str) -> float:
    """Return by how much two decimals may differ: two of their last digits."""
    decimals = min(len(one.partition(".")[2]), len(other.partition(".")[2]), MOST_DECIMALS)
    return 2.001 * 10.0**-decimals


def same_picture(first: Path, second: Path) -> bool:
    """Tell whether two picture files show the same."""
    if not (first.is_file() and second.is_file()):
        return False
    one, other = (np.asarray(Image.open(path).convert("RGB"), dtype=float) for path in (first, second))
    return one.shape == other.shape and bool(np.abs(one - other).mean() <= SAME_PIXELS)

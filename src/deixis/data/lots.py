"""Drawing from a sequence, by a generator that is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def pick(choices: Sequence[T], rng: np.random.Generator) -> T:
    """Draw one of ``choices``."""
    return choices[int(rng.integers(len(choices)))]


def draw(choices: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """Draw up to ``count`` different ones of ``choices``, in random order."""
    order = rng.permutation(len(choices))[:count]
    return [choices[int(index)] for index in order]

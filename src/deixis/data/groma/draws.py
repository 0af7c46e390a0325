"""What is left to chance when a dialogue is made of a record, as a value: so that it can be replayed."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Draws(Protocol):
    """Where choices come from."""

    def choice(self, count: int) -> int:
        """Return one of 0 … count - 1."""
        ...

    def order(self, count: int) -> list[int]:
        """Return 0 … count - 1 in an order."""
        ...

    def scores(self, count: int) -> NDArray[np.float64]:
        """Return numbers of 0..1, (count,)."""
        ...


class NumpyDraws:
    """Choices from a generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def choice(self, count: int) -> int:
        """Return one of 0 … count - 1."""
        return int(self.rng.integers(count))

    def order(self, count: int) -> list[int]:
        """Return 0 … count - 1 in an order."""
        return [int(number) for number in self.rng.permutation(count)]

    def scores(self, count: int) -> NDArray[np.float64]:
        """Return numbers of 0..1, (count,)."""
        return self.rng.random(count)

"""The random choices behind a painted mark: drawn from a seed, written down, and replayed.

The published painter draws from two generators, Python's ``random`` and NumPy's legacy one; a seed gives the
same numbers here (vip_llava.md section 2.2).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from deixis.errors import UsageError

Draw = tuple[str, tuple[Any, ...], Any]


class Draws(Protocol):
    """Where random numbers come from, by the names of the published trace."""

    def randint(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between two others, whichever is larger."""
        ...

    def random(self) -> float:
        """Draw a number in [0, 1)."""
        ...

    def choice(self, count: int) -> int:
        """Draw an index below `count`."""
        ...

    def choices(self, count: int, times: int) -> list[int]:
        """Draw indices below `count`, each on its own."""
        ...

    def np_uniform(self, low: float, high: float) -> float:
        """Draw a number between two others from the second generator."""
        ...

    def normal(self, mean: tuple[float, float], variance: tuple[float, float]) -> tuple[float, float]:
        """Draw a point from a normal distribution whose axes are independent."""
        ...


class SeededDraws:
    """Draws from a seed."""

    def __init__(self, seed: int) -> None:
        self.python = random.Random(seed)
        self.numpy = np.random.RandomState(seed % 2**32)

    def randint(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return self.python.randint(low, high)

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between two others, whichever is larger."""
        return self.python.uniform(low, high)

    def random(self) -> float:
        """Draw a number in [0, 1)."""
        return self.python.random()

    def choice(self, count: int) -> int:
        """Draw an index below `count`."""
        return self.python.choice(range(count))

    def choices(self, count: int, times: int) -> list[int]:
        """Draw indices below `count`, each on its own."""
        return self.python.choices(range(count), k=times)

    def np_uniform(self, low: float, high: float) -> float:
        """Draw a number between two others from the second generator."""
        return float(self.numpy.uniform(low, high))

    def normal(self, mean: tuple[float, float], variance: tuple[float, float]) -> tuple[float, float]:
        """Draw a point from a normal distribution whose axes are independent."""
        x, y = self.numpy.multivariate_normal(mean, np.diag(variance)).tolist()
        return x, y


@dataclass
class RecordedDraws:
    """Draws of another source, with a note of each in ``trace``: what `ReplayedDraws` replays."""

    source: Draws
    trace: list[Draw] = field(default_factory=list)

    def _noted(self, name: str, asked: tuple[Any, ...], drawn: Any) -> Any:
        self.trace.append((name, asked, drawn))
        return drawn

    def randint(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return int(self._noted("randint", (low, high), self.source.randint(low, high)))

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between two others, whichever is larger."""
        return float(self._noted("uniform", (low, high), self.source.uniform(low, high)))

    def random(self) -> float:
        """Draw a number in [0, 1)."""
        return float(self._noted("random", (), self.source.random()))

    def choice(self, count: int) -> int:
        """Draw an index below `count`."""
        return int(self._noted("choice", (count,), self.source.choice(count)))

    def choices(self, count: int, times: int) -> list[int]:
        """Draw indices below `count`, each on its own."""
        return list(self._noted("choices", (count, times), self.source.choices(count, times)))

    def np_uniform(self, low: float, high: float) -> float:
        """Draw a number between two others from the second generator."""
        return float(self._noted("np_uniform", (low, high), self.source.np_uniform(low, high)))

    def normal(self, mean: tuple[float, float], variance: tuple[float, float]) -> tuple[float, float]:
        """Draw a point from a normal distribution whose axes are independent."""
        x, y = self._noted("normal", (mean, variance), self.source.normal(mean, variance))
        return x, y


class ReplayedDraws:
    """Draws written down before, handed out again in their order.

    UsageError: something else is drawn than was written down; a mark is then painted by other rules.
    """

    def __init__(self, trace: Sequence[Draw]) -> None:
        self.left = list(trace)[::-1]

    def _next(self, name: str, asked: tuple[Any, ...]) -> Any:
        if not self.left:
            raise UsageError(f"nothing is left to replay; {name}{asked} was to be drawn")
        wrote, expected, drawn = self.left.pop()
        same = wrote == name and np.allclose(flat(asked), flat(expected), rtol=1e-12, atol=1e-9)
        if not same:
            raise UsageError(f"{name}{asked} was to be drawn; {wrote}{tuple(expected)} was written down")
        return drawn

    def randint(self, low: int, high: int) -> int:
        """Hand out the next draw, a whole number."""
        return int(self._next("randint", (low, high)))

    def uniform(self, low: float, high: float) -> float:
        """Hand out the next draw, a number."""
        return float(self._next("uniform", (low, high)))

    def random(self) -> float:
        """Hand out the next draw, a number in [0, 1)."""
        return float(self._next("random", ()))

    def choice(self, count: int) -> int:
        """Hand out the next draw, an index."""
        return int(self._next("choice", (count,)))

    def choices(self, count: int, times: int) -> list[int]:
        """Hand out the next draw, several indices."""
        return list(self._next("choices", (count, times)))

    def np_uniform(self, low: float, high: float) -> float:
        """Hand out the next draw, a number of the second generator."""
        return float(self._next("np_uniform", (low, high)))

    def normal(self, mean: tuple[float, float], variance: tuple[float, float]) -> tuple[float, float]:
        """Hand out the next draw, a point."""
        x, y = self._next("normal", (mean, variance))
        return float(x), float(y)


def flat(values: Any) -> list[float]:
    """Return all numbers of nested sequences in order."""
    return [float(value) for value in np.ravel(np.asarray(values, dtype=np.float64))]

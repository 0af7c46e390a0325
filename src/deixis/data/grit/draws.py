"""The chances of a record: whether a question's regions become points or boxes, and where a point falls.

They are handed in, so that a recorded run can be replayed with Python's own generator and training draws from
the generator of its batch.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

Format = Literal["point", "box"]


class LocationDraws(Protocol):
    """What has to be drawn for a record, in the order in which rendering asks."""

    def format(self) -> Format:
        """Point or box, for all regions of one question."""
        ...

    def normal(self) -> float:
        """A standard normal number."""
        ...

    def subset(self, size: int, count: int) -> Sequence[int]:
        """`count` different numbers below `size`, in random order."""
        ...

    def below(self, size: int) -> int:
        """One number below `size`."""
        ...


@dataclass(frozen=True)
class PythonDraws:
    """Draws of Python's generator, by the calls of the original data loader: choice, gauss and sample."""

    generator: random.Random

    def format(self) -> Format:
        return self.generator.choice(("point", "box"))

    def normal(self) -> float:
        return self.generator.gauss(0.0, 1.0)

    def subset(self, size: int, count: int) -> Sequence[int]:
        return self.generator.sample(range(size), count)

    def below(self, size: int) -> int:
        return self.generator.choice(range(size))


@dataclass(frozen=True)
class NumpyDraws:
    """Draws of a NumPy generator, as training passes one for each example."""

    generator: np.random.Generator

    def format(self) -> Format:
        return "point" if self.generator.random() < 0.5 else "box"

    def normal(self) -> float:
        return float(self.generator.standard_normal())

    def subset(self, size: int, count: int) -> Sequence[int]:
        return [int(number) for number in self.generator.choice(size, size=count, replace=False)]

    def below(self, size: int) -> int:
        return int(self.generator.integers(size))


@dataclass
class StatedFormats:
    """Other draws, but with stated formats: those of `formats` in order, or for ever if it is one word.

    The draw that it stands for is made all the same, so that what follows falls as it would have.
    """

    draws: LocationDraws
    formats: Sequence[Format] | Format
    _left: Iterator[Format] | None = field(default=None, init=False, repr=False)

    def format(self) -> Format:
        self.draws.format()
        if isinstance(self.formats, str):
            return self.formats
        if self._left is None:
            self._left = iter(self.formats)
        return next(self._left)

    def normal(self) -> float:
        return self.draws.normal()

    def subset(self, size: int, count: int) -> Sequence[int]:
        return self.draws.subset(size, count)

    def below(self, size: int) -> int:
        return self.draws.below(size)

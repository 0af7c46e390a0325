"""Several sources of examples as one: an epoch passes through all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from deixis.data.example_source import ExampleSource, lengths_of


class JoinedSource:
    """The examples of every source, one behind the other."""

    def __init__(self, sources: Sequence[ExampleSource]) -> None:
        self.sources = tuple(sources)
        self.ends = list(accumulate(len(source) for source in self.sources))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many examples each source has."""
        return tuple(len(source) for source in self.sources)

    def lengths(self) -> list[int]:
        """Return the lengths of all examples; RecipeError where a source doesn't know its own."""
        return [length for source in self.sources for length in lengths_of(source)]

    def example(self, index: int, rng: np.random.Generator) -> Any:
        """Return example ``index`` of the joined sources."""
        number = bisect_right(self.ends, index)
        return self.sources[number].example(index - (self.ends[number] - len(self.sources[number])), rng)

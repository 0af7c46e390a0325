"""Several sources of examples as one: an epoch passes through all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from deixis.data.dialogue import Example
from deixis.data.example_source import ExampleSource


class JoinedSource:
    """The examples of every source, one behind the other."""

    def __init__(self, sources: Sequence[ExampleSource]) -> None:
        self.sources = tuple(sources)
        self.ends = list(accumulate(len(source) for source in self.sources))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return example ``index`` of the joined sources."""
        number = bisect_right(self.ends, index)
        return self.sources[number].example(index - (self.ends[number] - len(self.sources[number])), rng)

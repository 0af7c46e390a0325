"""How often each file of records comes up in training: multipliers, as Ferret's data mix states them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from deixis.data.example_source import ExampleSource, lengths_of
from deixis.errors import RecipeError

# File name without its ending -> multiplier (You et al., 2023, released training options).
FERRET_MIX: Mapping[str, float] = MappingProxyType(
    {
        "git_instruction": 3.0,
        "vg_objects": 1.0,
        "vg_relations": 0.2,
        "vg_regions": 0.2,
        "grounded_llava_boxes_detail": 1.0,
        "grounded_llava_boxes_complex_reasoning": 1.0,
        "grounded_llava_boxes_conversation": 1.0,
        "refexp_all": 1.0,
        "flickr": 1.0,
        "objects365": 1.0,
    }
)


def multiplied(count: int, factor: float, rng: np.random.Generator) -> list[int]:
    """The indices of `count` records taken `factor` times.

    The whole part of the factor repeats all of them; a part f that is left over adds ceil(f * count), drawn
    with replacement. RecipeError unless the factor is a finite number above 0.

    >>> len(multiplied(10, 3.25, np.random.default_rng(0)))
    33
    """
    if not (math.isfinite(factor) and factor > 0):
        raise RecipeError(f"a source is multiplied by {factor}; expected a number above 0, such as 1 or 0.2")
    whole = int(factor)
    # Rounding of 0.2 and its like must not add a record.
    more = math.ceil(round((factor - whole) * count, 9))
    drawn = rng.integers(count, size=more).tolist() if count else []
    return list(range(count)) * whole + drawn


class MultipliedSource:
    """A source whose examples come up `factor` times as often; the seed says which ones more often."""

    def __init__(self, source: ExampleSource, factor: float, *, seed: int = 0) -> None:
        self.source = source
        self.indices = multiplied(len(source), factor, np.random.default_rng([seed, len(source)]))

    def __len__(self) -> int:
        return len(self.indices)

    def lengths(self) -> list[int]:
        """Return the length of every example, as often as it comes up; RecipeError where it isn't known."""
        own = lengths_of(self.source)
        return [own[index] for index in self.indices]

    def example(self, index: int, rng: np.random.Generator) -> Any:
        """Return one example of the source."""
        return self.source.example(self.indices[index], rng)

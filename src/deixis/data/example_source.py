"""What training asks of data: numbered pictures, each an example whenever it comes up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from deixis.errors import RecipeError


class ExampleSource(Protocol):
    """Numbered pictures that can be asked for an example each time they come up.

    An example is what the system's collate takes: a ``dialogue.Example``, or a ``detection.DetectionExample``
    for systems that learn from boxes alone.
    """

    def __len__(self) -> int: ...

    def example(self, index: int, rng: np.random.Generator) -> Any: ...


def lengths_of(source: ExampleSource) -> Sequence[int]:
    """Return how long each example of a source is, about; negative for one without a picture.

    Raises RecipeError where a source doesn't know: its examples can't be put in groups of one length.
    """
    lengths = getattr(source, "lengths", None)
    if lengths is None:
        raise RecipeError(
            f"a {type(source).__name__} doesn't say how long its examples are; order: length_groups needs "
            "sources that do (a method lengths), or choose order: shuffled"
        )
    return lengths()

"""What is done to pictures and words so that both say what a dialogue points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deixis.pictures.opening import Picture
from deixis.records.dialogue import Turn
from deixis.systems.spliced.dialect import Dialect


class Marking(Protocol):
    """How a member marks a dialogue's regions in training; travels to loader workers.

    most_regions: of one conversation; dialogues that would bring more are left out of it. None is any number.
    """

    @property
    def most_regions(self) -> int | None:
        """Return how many regions a conversation may have."""
        ...

    def marked(
        self, turns: Sequence[Turn], pictures: Sequence[Picture]
    ) -> tuple[tuple[Picture, ...], Dialect]:
        """Return the pictures as the network sees them, and the dialect that speaks of their regions."""
        ...


@dataclass(frozen=True)
class Unmarked:
    """Pictures stay as they are: one dialect writes all regions."""

    dialect: Dialect
    most_regions: int | None = None

    def marked(
        self, turns: Sequence[Turn], pictures: Sequence[Picture]
    ) -> tuple[tuple[Picture, ...], Dialect]:
        """Return the pictures and the dialect."""
        return tuple(pictures), self.dialect

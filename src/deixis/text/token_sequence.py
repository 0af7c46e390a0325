"""Token ids under construction, with a label for each and what stands behind region and place tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deixis.regions.shapes import Box, Region

IGNORED = -100  # the label of a token that nothing is learnt from


@dataclass
class TokenSequence:
    """A dialogue while it is written; regions and places are in the order of their tokens.

    region_names: for each region what the answer calls it, in lower case, if it does nothing else.
    """

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    region_names: list[str | None] = field(default_factory=list)
    places: list[tuple[str, tuple[Box, ...]]] = field(default_factory=list)

    def add(self, ids: Sequence[int], *, learnt: bool) -> None:
        """Append tokens; those that are not learnt get the ignored label."""
        self.ids += ids
        self.labels += ids if learnt else [IGNORED] * len(ids)

"""How a score is counted: by the published rules, faults included, or by corrected ones; and shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deixis.errors import UsageError

Rules = Literal["published", "corrected"]
"""published: what the authors' programs count, to compare with their numbers; corrected: as documented."""


def check_rules(rules: str) -> None:
    """Raise UsageError for rules that don't exist."""
    if rules not in ("published", "corrected"):
        raise UsageError(f'protocol is {rules!r}; expected "published" or "corrected"')


def share(part: float, whole: float) -> float | None:
    """Return ``part / whole``; None for a share of nothing.

    >>> share(1, 4), share(0, 0)
    (0.25, None)
    """
    return part / whole if whole else None


@dataclass(frozen=True)
class Overlap:
    """When two boxes count as the same place: their intersection over union against a least one.

    inclusive: exactly the least is enough. Papers differ: expressions and phrases ask for IoU >= 0.5, the
    tasks of Ferret-UI for IoU > 0.5.

    >>> Overlap().met(0.5), Overlap(inclusive=False).met(0.5)
    (True, False)
    """

    least: float = 0.5
    inclusive: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.least <= 1:
            raise UsageError(f"the least IoU is {self.least}; expected a number above 0, up to 1")

    def met(self, iou: float) -> bool:
        """Tell whether this much overlap is enough."""
        return iou >= self.least if self.inclusive else iou > self.least

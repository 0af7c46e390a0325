"""Boxes without area, which a reader leaves out: how many there were, and where the first one stands."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger("deixis")


@dataclass
class DroppedBoxes:
    """The boxes that were left out so far; first: where the first of them stands."""

    count: int = 0
    first: str = ""

    def add(self, where: str) -> None:
        """Take one."""
        self.count += 1
        self.first = self.first or where

    def report(self, source: Path) -> None:
        """Log how many there were, if there were any."""
        if self.count:
            LOG.warning("%s: boxes without area, left out: %d; the first: %s", source, self.count, self.first)

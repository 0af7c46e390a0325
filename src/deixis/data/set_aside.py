"""What of a dataset was cut, left out or refused: by which rule, how many, and which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deixis.data.sources.boxes import Boxes

MOST_NAMED = 20


@dataclass(frozen=True)
class SetAside:
    """Faults of one kind.

    rule: what was done with them, "refuse", "cut" or "pass_over"; None where nobody said. named: the first of
    them.
    """

    rule: str | None
    count: int = 0
    named: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"rule": self.rule, "count": self.count, "named": list(self.named)}

    def sentence(self, what: str) -> str:
        """Return what became of ``what``, "" for nothing.

        >>> SetAside("cut", 1, ("a.json annotations[4]",)).sentence("boxes that stick out")
        'boxes that stick out: 1, cut (a.json annotations[4])'
        """
        if not self.count:
            return ""
        done = {"cut": "cut", "pass_over": "passed over"}.get(self.rule or "", self.rule)
        more = ", …" if self.count > len(self.named) else ""
        return f"{what}: {self.count:,}, {done} ({'; '.join(self.named)}{more})"


UNSAID = SetAside(None)


def boxes_outside(boxes: Boxes) -> SetAside:
    """Return what became of the boxes that stick out of their pictures."""
    return SetAside(boxes.outside, boxes.count, tuple(boxes.places[:MOST_NAMED]))


def broken_pictures(rule: str, found: Mapping[str, str]) -> SetAside:
    """Return what became of pictures that can't be opened. found: what is wrong with each, by its name."""
    return SetAside(rule, len(found), tuple(list(found)[:MOST_NAMED]))

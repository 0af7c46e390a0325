"""The protocol card: everything that must be equal before two reports may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deixis import __version__
from deixis.evaluation.ablations import Control
from deixis.evaluation.metrics.intervals import EXPLAINED
from deixis.evaluation.runner import LARGEST_BATCH, MAX_NEW_TOKENS
from deixis.evaluation.task import Task


@dataclass(frozen=True)
class ProtocolCard:
    """How a report's numbers came about.

    weights: fingerprint of the network that answered. data: the name of the pack's folder. pictures: how
    many were asked about. limit: items of each task. control: what was taken away before asking.
    baseline_split: the split that further baselines were learnt on.
    """

    system: str
    weights: str | None
    data: str
    split: str
    pictures: int
    seed: int
    limit: int | None
    control: Control
    tasks: Sequence[Task[Any]]
    baseline_split: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the card for JSON; what differs between tasks is keyed by task."""
        return {
            "system": self.system,
            "weights": self.weights,
            "data": self.data,
            "split": self.split,
            "pictures": self.pictures,
            "seed": self.seed,
            "limit": self.limit,
            "control": self.control.explained,
            "baseline_split": self.baseline_split or "none",
            "prompt": {task.name: task.prompt for task in self.tasks},
            "points_at": {task.name: task.points_at for task in self.tasks},
            "rule": {task.name: task.rule for task in self.tasks},
            "frame": "pixels of the stored picture; x0 y0 x1 y1, continuous edges: pixel i is [i, i + 1)",
            "rounding": "none",
            "misses": "nowhere, no place and answers that cannot be parsed; the last are counted apart, too",
            "ci95": EXPLAINED,
            "questions": (
                "one turn each unless the prompt says otherwise, "
                f"up to {LARGEST_BATCH} of one picture in a batch"
            ),
            "max_new_tokens": MAX_NEW_TOKENS,
            "deixis": __version__,
        }

    def to_markdown(self) -> str:
        """Return the card as a list for people."""
        lines = ["### Protocol", ""]
        for name, value in self.to_dict().items():
            if isinstance(value, dict):
                lines.append(f"- **{name}**")
                lines += [f"  - {task}: {words}" for task, words in value.items()]
            else:
                lines.append(f"- **{name}**: {'all items' if value is None else value}")
        return "\n".join(lines)

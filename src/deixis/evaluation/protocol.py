"""The protocol card: everything that must be equal before two reports may be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deixis import __version__
from deixis.data.set_aside import UNSAID, SetAside
from deixis.evaluation.ablations import Ablation
from deixis.evaluation.metrics.intervals import EXPLAINED
from deixis.evaluation.runner import LARGEST_BATCH, MAX_NEW_TOKENS
from deixis.evaluation.task import Task


@dataclass(frozen=True)
class ProtocolCard:
    """How a report's numbers came about.

    weights: fingerprint of the network that answered; None where the system has none. data: the name of the
    dataset's folder. pictures: how many were asked about. limit: items of each task. ablation: what was taken
    away before asking. baseline_split: the split that further baselines were learnt on. outside, broken: what
    became of boxes that stick out of their pictures, and of pictures that can't be opened. max_new_tokens:
    how long an answer may be. items: a digest of each task's questions, regions and truths. shown: one of the
    pictures that were asked about. files: digests of the data's files. asking: how a model of an endpoint
    takes regions and writes places.
    """

    system: str
    weights: str | None
    data: str
    split: str
    pictures: int
    seed: int
    limit: int | None
    ablation: Ablation
    tasks: Sequence[Task[Any]]
    baseline_split: str | None = None
    outside: SetAside = UNSAID
    broken: SetAside = UNSAID
    max_new_tokens: int = MAX_NEW_TOKENS
    items: Mapping[str, str] = field(default_factory=dict)
    shown: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    asking: Mapping[str, str] = field(default_factory=dict)

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
            "ablation": self.ablation.explained,
            "control": self.ablation.explained,  # the name of before
            "baseline_split": self.baseline_split or "none",
            "boxes_outside": self.outside.to_dict(),
            "broken_pictures": self.broken.to_dict(),
            "title": {task.name: task.title or task.name for task in self.tasks},
            "prompt": {task.name: task.prompt for task in self.tasks},
            "points_at": {task.name: task.points_at for task in self.tasks},
            "rule": {task.name: task.rule for task in self.tasks},
            "frame": "pixels of the upright picture; x0 y0 x1 y1, continuous edges: pixel i is [i, i + 1)",
            "rounding": "none",
            "misses": "nowhere, no place and answers that cannot be parsed; the last are counted apart, too",
            "ci95": EXPLAINED,
            "questions": (
                "one turn each unless the prompt says otherwise, "
                f"up to {LARGEST_BATCH} of one picture in a batch"
            ),
            "decoding": "greedy",
            "max_new_tokens": self.max_new_tokens,
            "judge": "none",
            "data_files": dict(self.files) or None,
            "pictures_shown": self.shown,
            "items": dict(self.items),
            **self.asking,
            "deixis": __version__,
        }

    def set_aside(self) -> list[str]:
        """Return a sentence for each kind of fault of the dataset that was cut or passed over."""
        sentences = (
            self.outside.sentence("boxes that stick out of their pictures"),
            self.broken.sentence("pictures that can't be opened"),
        )
        return [sentence for sentence in sentences if sentence]

    def to_markdown(self) -> str:
        """Return the card as a list for people."""
        lines = ["### Protocol", ""]
        for name, value in self.to_dict().items():
            if name == "control":
                continue
            if isinstance(value, dict):
                lines.append(f"- **{name}**")
                lines += [f"  - {part}: {words_for(words)}" for part, words in value.items()]
            else:
                shown = "all items" if name == "limit" and value is None else words_for(value)
                lines.append(f"- **{name}**: {shown}")
        return "\n".join(lines)


def words_for(value: Any) -> str:
    """Return a value of the card for people.

    >>> words_for(None), words_for(["a.jpg", "b.jpg"]), words_for([]), words_for(3)
    ('not known', 'a.jpg; b.jpg', 'none', '3')
    """
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return "not known" if value is None else str(value)

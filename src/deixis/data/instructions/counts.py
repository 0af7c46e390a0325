"""What became of the rows of a file: how many are kept, and how many are dropped for which reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 3  # rows that are kept as examples of a reason


@dataclass
class RowCounts:
    """Counts that grow while rows are read.

    kept: rows that samples are made of; of them without_picture. dropped: by reason. examples: by reason, the
    first few rows, with what is wrong with them.
    """

    kept: int = 0
    without_picture: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, *, seen: bool) -> None:
        """Count a row that is kept. seen: whether it has a picture."""
        self.kept += 1
        self.without_picture += not seen

    def drop(self, reason: str, example: str) -> None:
        """Count a row that is dropped."""
        self.dropped[reason] += 1
        if len(shown := self.examples.setdefault(reason, [])) < EXAMPLES:
            shown.append(example)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self.kept + self.dropped.total()

    def sentence(self) -> str:
        """Return the counts in one sentence, the commonest reason first.

        >>> counts = RowCounts(kept=8)
        >>> counts.drop("too short", "a.json[3]: 'A dog.'")
        >>> counts.sentence()
        '8 of 9 rows are kept; dropped: 1 too short'
        """
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.dropped.most_common())
        kept = f"{self.kept:,} of {self.total:,} rows are kept"
        return f"{kept}; dropped: {reasons}" if reasons else kept

    def to_markdown(self) -> str:
        """Return a table of reasons, each with its share and its first example."""
        lines = ["| rows | count | share | for example |", "| --- | --- | --- | --- |"]
        shown = [("kept", self.kept, ""), ("of them without a picture", self.without_picture, "")]
        shown += [
            (f"dropped: {reason}", count, self.examples[reason][0].replace("|", "\\|"))
            for reason, count in self.dropped.most_common()
        ]
        for name, count, example in shown:
            lines.append(f"| {name} | {count:,} | {100 * count / max(self.total, 1):.1f} % | {example} |")
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return {
            "rows": self.total,
            "kept": self.kept,
            "without_picture": self.without_picture,
            "dropped": dict(self.dropped.most_common()),
            "examples": self.examples,
        }

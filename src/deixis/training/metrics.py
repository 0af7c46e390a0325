"""What a run measured, a JSON object a line, and its curves as a picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from deixis.files.writing import write_whole
from deixis.training.state.writing import writing

FORMER = {"words": "language_model"}  # what losses were called before -> their names


class MetricsLog:
    """Appends to ``metrics.jsonl``; a resumed run first drops what came after its checkpoint."""

    def __init__(self, path: Path, *, first_step: int) -> None:
        self.path = path
        kept = [row for row in read_metrics(path) if row["step"] <= first_step] if path.exists() else []
        with writing(path):
            write_whole(path, "".join(json.dumps(row) + "\n" for row in kept))

    def add(self, row: dict[str, Any]) -> None:
        """Write one row."""
        with writing(self.path), self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a log; a line that a killed run left half-written is dropped, as any odd one."""
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


def with_todays_names(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose losses are called as they are today.

    >>> with_todays_names({"step": 1, "losses": {"words": 2.0}})
    {'step': 1, 'losses': {'language_model': 2.0}}
    """
    return {**row, "losses": {FORMER.get(name, name): value for name, value in row["losses"].items()}}


def seconds_in(rows: list[dict[str, Any]], *, batch: int) -> float:
    """Return how long the steps of a log took, in seconds, whenever they ran; ``batch`` pictures a step.

    >>> seconds_in([{"step": 10, "pictures_per_s": 8.0}, {"step": 15, "pictures_per_s": 4.0}], batch=16)
    40.0
    """
    steps = [0, *(row["step"] for row in rows)]
    return sum(
        (row["step"] - before) * batch / row["pictures_per_s"]
        for before, row in zip(steps[:-1], rows, strict=True)
    )


def plot_metrics(log: Path, out: Path) -> bool:
    """Draw every loss over steps; False where matplotlib is not installed or nothing was logged."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    rows = [with_todays_names(row) for row in read_metrics(log) if isinstance(row.get("losses"), dict)]
    if not rows:
        return False
    names = list(dict.fromkeys(name for row in rows for name in row["losses"]))
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for name in names:
        drawn = [(row["step"], row["losses"][name]) for row in rows if is_number(row["losses"].get(name))]
        axes.plot([step for step, _ in drawn], [loss for _, loss in drawn], label=name, linewidth=1)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (mean since the last row)")
    axes.set_yscale("log")
    axes.legend()
    figure.savefig(out)
    return True


def is_number(value: object) -> bool:
    """Tell whether something can be drawn."""
    return isinstance(value, int | float) and math.isfinite(value)

"""A study: variants of one recipe, each trained and measured the same way, in a table and a plot."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from deixis.errors import UsageError
from deixis.evaluation.report import TaskResult
from deixis.files.writing import replacing
from deixis.runs.unseen import paired_interval
from deixis.training.recipes.recipe import Recipe


@dataclass(frozen=True)
class Variant:
    """One column of a study.

    what: the settings that make it different, by name, for the table. recipe: complete, of its own name.
    """

    what: dict[str, str]
    recipe: Recipe


@dataclass(frozen=True)
class Measured:
    """What became of a variant.

    loss: the last one of training. seconds: what training took. unseen (n,): the losses on batches of
    pictures that it never saw, the same for every variant. tasks: the result of every task.
    """

    variant: Variant
    loss: float
    seconds: float
    unseen: np.ndarray
    tasks: dict[str, TaskResult]

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            **self.variant.what,
            "loss": self.loss,
            "seconds": self.seconds,
            "unseen": self.unseen.tolist(),
            "tasks": {name: result.to_dict() for name, result in self.tasks.items()},
        }


@dataclass(frozen=True)
class Study:
    """All rows, with what they were made of.

    set_aside: a sentence for each kind of fault of the measured dataset that was cut or passed over.
    """

    name: str
    steps: int
    data: str
    rows: tuple[Measured, ...]
    set_aside: Sequence[str] = ()

    def to_json(self) -> str:
        """Return the study as JSON."""
        content = {
            "study": self.name,
            "steps": self.steps,
            "data": self.data,
            "set_aside": list(self.set_aside),
            "rows": [r.to_dict() for r in self.rows],
        }
        return json.dumps(content, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return the table, and below it how it was measured."""
        settings = list(self.rows[0].variant.what)
        tasks = list(self.rows[0].tasks)
        lines = [
            "| " + " | ".join([*settings, "last loss", "unseen loss", *tasks, "training s"]) + " |",
            "|" + " --- |" * (len(settings) + len(tasks) + 3),
        ]
        for row in self.rows:
            cells = [row.variant.what[name] for name in settings]
            cells += [
                f"{row.loss:.3f}",
                self.unseen(row),
                *(shown(row.tasks[name]) for name in tasks),
                f"{row.seconds:.0f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
        counts = ", ".join(f"{name} n = {result.n:,}" for name, result in self.rows[0].tasks.items())
        lines += ["", f"{self.steps:,} steps each; measured on {self.data}: {counts}; 95 % intervals."]
        lines[-1] += (
            f" Unseen loss: mean of {len(self.rows[0].unseen)} batches of the same split, asked as in "
            "training; in brackets how far it is from the first row's, batch by batch."
        )
        lines += [f"- {sentence}" for sentence in self.set_aside]
        return "\n".join(lines) + "\n"

    def unseen(self, row: Measured) -> str:
        """Return a row's loss on unseen pictures and its distance from the first row's."""
        mean = f"{row.unseen.mean():.3f}"
        if row is self.rows[0]:
            return mean
        low, high = paired_interval(self.rows[0].unseen, row.unseen)
        return f"{mean} ({low:+.3f} to {high:+.3f})"

    def plot(self, path: Path) -> None:
        """Draw unseen losses and tasks over the variants; UsageError where matplotlib is not installed."""
        require_plots()
        from matplotlib.figure import Figure

        tasks = list(self.rows[0].tasks)
        names = ["\n".join(row.variant.what.values()) for row in self.rows]
        figure = Figure(figsize=(1.6 * len(names) + 1, 3.2 * (len(tasks) + 1)), layout="constrained")
        first, *others = figure.subplots(len(tasks) + 1, 1, squeeze=False)[:, 0]
        own = [row.unseen for row in self.rows]
        means = [float(losses.mean()) for losses in own]
        intervals = [paired_interval(own[0], losses) for losses in own]
        errors = [(high - low) / 2 for low, high in intervals]
        first.errorbar(names, means, yerr=errors, fmt="o", capsize=4, color="#4477aa", ecolor="#222222")
        first.set_ylabel("loss on unseen pictures\n(95 % of the difference to the first)")
        for axes, task in zip(others, tasks, strict=True):
            results = [row.tasks[task] for row in self.rows]
            values = [100 * result.value for result in results]
            low = [max(100 * (result.value - result.ci95[0]), 0.0) for result in results]
            high = [max(100 * (result.ci95[1] - result.value), 0.0) for result in results]
            axes.errorbar(
                names, values, yerr=[low, high], fmt="o", capsize=4, color="#4477aa", ecolor="#222222"
            )
            for name, share in results[0].baselines.items():
                label = name.replace("_", " ")
                axes.axhline(100 * share, linestyle="--", linewidth=1, color="#bb5566", label=label)
            if results[0].baselines:
                axes.legend()
            axes.set_ylabel(f"{task}, % right")
        with replacing(path) as partial:
            figure.savefig(partial, dpi=120)


def require_plots() -> None:
    """Raise UsageError where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise UsageError("a plot needs matplotlib: pip install 'deixis[plots]'")


def shown(result: TaskResult) -> str:
    """Return a result for a cell.

    >>> shown(TaskResult(0.2, 10, (0.1, 0.3), 0, {}, {}))
    '20.0 % (10.0 to 30.0)'
    """
    low, high = result.ci95
    return f"{100 * result.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def run_study(
    name: str,
    variants: Sequence[Variant],
    *,
    train: Callable[[Recipe], tuple[Path, float, float]],
    lose: Callable[[Recipe, Path], np.ndarray],
    measure: Callable[[Path], dict[str, TaskResult]],
    data: str,
) -> Study:
    """Return the study of ``variants``.

    train: from a recipe to the folder of its model, its last loss and the seconds it took. lose: from both to
    its losses on unseen batches, the same for all. measure: from the folder to results by task. data: what
    the pictures are called that it measures on.
    """
    rows = []
    for variant in variants:
        folder, loss, seconds = train(variant.recipe)
        rows.append(Measured(variant, loss, seconds, lose(variant.recipe, folder), measure(folder)))
    return Study(name=name, steps=variants[0].recipe.steps, data=data, rows=tuple(rows))


def shortened(recipe: Recipe, steps: int | None) -> Recipe:
    """Return a recipe of so many steps, its schedule squeezed into them."""
    if steps is None:
        return recipe
    warmup = min(recipe.schedule.warmup, max(steps // 10, 1))
    return replace(recipe, steps=steps, schedule=replace(recipe.schedule, warmup=warmup))

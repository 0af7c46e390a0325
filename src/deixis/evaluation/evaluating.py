"""From a system and scenes to a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deixis.data.opening import upright_scenes
from deixis.data.scene import Scene
from deixis.errors import UsageError
from deixis.evaluation.ablations import NONE, Control
from deixis.evaluation.metrics.intervals import interval_over_pictures
from deixis.evaluation.protocol import ProtocolCard
from deixis.evaluation.report import Report, TaskResult
from deixis.evaluation.runner import Answerer, Asked, ask_all, chosen
from deixis.evaluation.task import Columns, Item, Task


def evaluate(
    system: Answerer,
    scenes: Sequence[Scene],
    tasks: Sequence[Task[Any]],
    *,
    data: str,
    split: str,
    weights: str | None = None,
    seed: int = 0,
    limit: int | None = None,
    control: Control = NONE,
    baseline_scenes: Sequence[Scene] = (),
    baseline_split: str | None = None,
    progress: bool = False,
) -> Report:
    """Return the report of a system on the scenes of one split.

    data, split, weights: what the report calls them. limit: so many items of each task, drawn with ``seed``.
    control: what is taken away before asking. baseline_scenes, baseline_split: what further baselines are
    learnt on, and its name; without scenes there are none of them.
    Raises UsageError for a task that finds nothing to ask.
    """
    scenes, baseline_scenes = upright_scenes(scenes), upright_scenes(baseline_scenes)
    items = [
        (task, chosen(asked_by(task, scenes, seed, split=split), limit=limit, seed=seed)) for task in tasks
    ]
    shown = [(task, control.items(own, seed)) for task, own in items]
    # Before minutes of asking: learning takes seconds, and may find nothing to learn from.
    baselines = {task.name: baselines_of(task, scenes, own, learnt_on=baseline_scenes) for task, own in items}
    asked = tuple(ask_all(system, scenes, shown, picture_shown=control.picture, progress=progress))
    return Report(
        ProtocolCard(
            system=system.name,
            weights=weights,
            data=data,
            split=split,
            pictures=len({one.item.picture for one in asked}),
            seed=seed,
            limit=limit,
            control=control,
            tasks=tasks,
            baseline_split=baseline_split,
        ),
        {
            task.name: result_of(
                task, [one for one in asked if one.task == task.name], baselines[task.name], seed=seed
            )
            for task in tasks
        },
        asked,
    )


def with_items(tasks: Sequence[Task[Any]], scenes: Sequence[Scene], seed: int) -> list[Task[Any]]:
    """Return the tasks that find something to ask; UsageError if none does."""
    found = [task for task in tasks if task.items(scenes, seed)]
    if not found:
        raise UsageError(
            f"none of {len(tasks)} tasks finds anything to ask in {len(scenes)} pictures; have they captions "
            "with phrases?"
        )
    return found


def asked_by(task: Task[Any], scenes: Sequence[Scene], seed: int, *, split: str) -> list[Item[Any]]:
    """Return all items of a task."""
    items = task.items(scenes, seed)
    if not items:
        raise UsageError(
            f"task {task.name!r} finds nothing to ask in split {split!r} of {len(scenes)} pictures; "
            f"it asks about: {task.rule}"
        )
    return items


def baselines_of(
    task: Task[Any], scenes: Sequence[Scene], items: Sequence[Item[Any]], *, learnt_on: Sequence[Scene]
) -> dict[str, float]:
    """Return the baselines of a task, and those that it learns on other scenes, if there are any."""
    baselines = task.baselines(scenes, items)
    if learnt_on and task.learnt_baselines is not None:
        baselines |= task.learnt_baselines(learnt_on, items)
    return baselines


def result_of(
    task: Task[Any], asked: Sequence[Asked], baselines: dict[str, float], *, seed: int
) -> TaskResult:
    """Return the numbers of one task."""
    names = list(asked[0].outcome.numbers)
    columns: Columns = {name: np.array([one.outcome.numbers[name] for one in asked]) for name in names}
    numbers = task.measure(columns)
    first = next(iter(numbers))
    return TaskResult(
        value=numbers[first],
        n=len(asked),
        ci95=interval_over_pictures(
            columns,
            [one.item.picture for one in asked],
            measure=lambda resampled: task.measure(resampled)[first],
            seed=seed,
        ),
        parse_failures=sum(one.outcome.parse_failed for one in asked),
        baselines=baselines,
        others={name: number for name, number in numbers.items() if name != first},
    )

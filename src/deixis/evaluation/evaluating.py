"""From a system and scenes to a report."""

from __future__ import annotations

import sys
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from deixis.data.opening import upright_scenes
from deixis.data.scene import Scene
from deixis.data.set_aside import UNSAID, SetAside, broken_pictures
from deixis.errors import UsageError
from deixis.evaluation.ablations import NONE, Ablation
from deixis.evaluation.facts import digest_of_all, run_facts, tokens_of
from deixis.evaluation.metrics.intervals import intervals_over_pictures
from deixis.evaluation.protocol import ProtocolCard
from deixis.evaluation.report import Report, TaskResult, region_fields, truth_fields
from deixis.evaluation.runner import MAX_NEW_TOKENS, Ahead, Answerer, Asked, ask_all, chosen, picture_of
from deixis.evaluation.task import Columns, Item, Task
from deixis.pictures.broken import REFUSE, BrokenPictures
from deixis.pictures.opening import Picture


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
    ablation: Ablation = NONE,
    control: Ablation | None = None,
    baseline_scenes: Sequence[Scene] = (),
    baseline_split: str | None = None,
    outside: SetAside = UNSAID,
    broken: str = REFUSE,
    max_new_tokens: int = MAX_NEW_TOKENS,
    files: Mapping[str, str] | None = None,
    data_path: Path | None = None,
    log: Any = None,
    ahead: Ahead | None = None,
    progress: bool = False,
) -> Report:
    """Return the report of a system on the scenes of one split.

    data, split: what the report calls them. weights: the fingerprint of the network; None asks the system for
    it. limit: so many items of each task, drawn with ``seed``. ablation: what is taken away before asking.
    baseline_scenes, baseline_split: what further baselines are learnt on, and its name; without scenes there
    are none of them. outside: what became of boxes when the scenes were read, for the report. broken:
    "pass_over" leaves out items about pictures that can't be opened, and the report names these.
    max_new_tokens: how long an answer may be. files: digests of the data's files, for the card. data_path:
    where the data lie, for the report. log: where the system's answers are kept, for the report.
    ahead: see ``runner.ask_all``.
    A question that the system refuses counts as wrong, and the report names it. Raises UsageError for a task
    that finds nothing to ask and where every question is refused, BadPicture or RecordError for a picture
    that can't be opened, before anything is asked.
    """
    ablation = control or ablation
    scenes, baseline_scenes = upright_scenes(scenes), upright_scenes(baseline_scenes)
    every = {
        task.name: chosen(asked_by(task, scenes, seed, split=split), limit=limit, seed=seed) for task in tasks
    }
    pictures = BrokenPictures(broken)
    sound = sound_pictures(scenes, every.values(), pictures, progress=progress)
    items = [(task, about(frozenset(sound), every[task.name], task)) for task in tasks]
    shown = [(task, ablation.items(own, seed)) for task, own in items]
    # Before minutes of asking: learning takes seconds, and may find nothing to learn from.
    baselines = {task.name: baselines_of(task, scenes, own, learnt_on=baseline_scenes) for task, own in items}
    started = time.perf_counter()
    found = ask_all(
        system,
        scenes,
        shown,
        picture_shown=ablation.picture,
        max_new_tokens=max_new_tokens,
        ahead=ahead,
        progress=progress,
    )
    asked = tuple(found)
    seconds = time.perf_counter() - started
    if asked and all(one.refused for one in asked):
        raise UsageError(f"all {len(asked)} questions are refused; the first: {asked[0].refused}")
    return Report(
        ProtocolCard(
            system=system.name,
            weights=weights or fingerprint_of(system),
            data=data,
            split=split,
            pictures=len({one.item.picture for one in asked}),
            seed=seed,
            limit=limit,
            ablation=ablation,
            tasks=tasks,
            baseline_split=baseline_split,
            outside=outside,
            broken=broken_pictures(broken, pictures.found),
            max_new_tokens=max_new_tokens,
            items={task.name: digest_of_items(own) for task, own in shown},
            shown=digest_of_all(sorted(sound.items())),
            files=files or {},
            asking=card_of(system),
        ),
        {
            task.name: result_of(
                task, [one for one in asked if one.task == task.name], baselines[task.name], seed=seed
            )
            for task in tasks
        },
        asked,
        run_facts(
            system,
            seconds=seconds,
            tokens=spent_by(system, [one.tokens for one in asked]),
            log=log,
            data=data_path,
        ),
    )


def digest_of_items(items: Sequence[Item[Any]]) -> str:
    """Return a digest of what is asked and true: equal for equal questions in the same order."""
    return digest_of_all(
        [
            item.picture,
            item.question,
            [[name, region_fields(region)] for name, region in item.regions],
            [question for question, _ in item.before],
            truth_fields(item.truth),
        ]
        for item in items
    )


def card_of(system: Answerer) -> dict[str, str]:
    """Return how a model takes regions and writes places, where it says so."""
    own = getattr(system, "card", None)
    return {} if own is None else own()


def spent_by(system: Answerer, counts: Sequence[int | None]) -> Mapping[str, int] | None:
    """Return the tokens that a run took: as an endpoint counts them, or as answers tell."""
    spent = getattr(system, "spent", None)
    tokens: Mapping[str, int] | None = tokens_of(counts) if spent is None else spent.tokens()
    return tokens


def fingerprint_of(system: Answerer) -> str | None:
    """Return the fingerprint of a system's weights; None if it has none."""
    fingerprint = getattr(system, "fingerprint", None)
    return None if fingerprint is None else fingerprint() or None


def sound_pictures(
    scenes: Sequence[Scene],
    items: Iterable[Sequence[Item[Any]]],
    pictures: BrokenPictures,
    *,
    progress: bool,
) -> dict[str, str]:
    """Return the scenes whose pictures can be opened, of those that items are about, with their digests.

    Each is opened once before anything is asked, so that a damaged one doesn't cost the answers to all
    others. BadPicture or RecordError where ``pictures`` refuses damaged ones, RecordError also for a picture
    that doesn't fit its scene.
    """
    wanted = {item.picture for own in items for item in own}
    own = [scene for scene in scenes if scene.id in wanted]
    bar = tqdm(own, desc="opening", unit="picture", file=sys.stderr, disable=not progress)
    sound = {}
    for scene in pictures.sound(bar, opened=opened, name=lambda scene: scene.picture.name):
        sound[scene.id] = picture_of(scene).frame.content
    return sound


def opened(scene: Scene) -> Picture:
    """Return the picture of a scene, whatever its size."""
    return scene.picture.open()


def about(sound: Container[str], items: Sequence[Item[Any]], task: Task[Any]) -> list[Item[Any]]:
    """Return the items about some pictures; UsageError if none is left of a task."""
    kept = [item for item in items if item.picture in sound]
    if not kept:
        raise UsageError(
            f"all {len(items)} items of task {task.name!r} are about pictures that can't be opened"
        )
    return kept


def with_items(tasks: Sequence[Task[Any]], scenes: Sequence[Scene], seed: int) -> list[Task[Any]]:
    """Return the tasks that find something to ask; UsageError if none does."""
    found = [task for task in tasks if task.items(scenes, seed)]
    if not found:
        needs = "; ".join(f"{task.name!r} needs {task.needs}" for task in tasks)
        raise UsageError(
            f"none of {len(tasks)} tasks finds anything to ask in {len(scenes)} pictures: {needs}"
        )
    return found


def asked_by(task: Task[Any], scenes: Sequence[Scene], seed: int, *, split: str) -> list[Item[Any]]:
    """Return all items of a task."""
    items = task.items(scenes, seed)
    if not items:
        raise UsageError(
            f"task {task.name!r} finds nothing to ask in split {split!r} of {len(scenes)} pictures: it needs "
            f"{task.needs}"
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
    intervals = intervals_over_pictures(
        columns, [one.item.picture for one in asked], measure=task.measure, seed=seed
    )
    return TaskResult(
        value=numbers[first],
        n=len(asked),
        ci95=intervals.pop(first),
        parse_failures=sum(one.outcome.parse_failed and not one.refused for one in asked),
        baselines=baselines,
        others={name: number for name, number in numbers.items() if name != first},
        refused=sum(bool(one.refused) for one in asked),
        intervals=intervals,
    )

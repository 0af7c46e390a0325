"""The runner: every number comes from a system's own ``ask``, all questions about a picture together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from tqdm import tqdm

from deixis.data.scene import Scene
from deixis.errors import RecordError, UsageError
from deixis.evaluation.task import Item, Outcome, Task
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Region

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

LARGEST_BATCH = 64
MAX_NEW_TOKENS = 64
T = TypeVar("T")
Question = tuple[str, tuple[tuple[str, Region], ...]]


class Answerer(Protocol):
    """What evaluation needs of a system."""

    @property
    def name(self) -> str:
        """The system's name, for the report."""

    def ask(
        self, picture: Any, question: Any, *, regions: Any = None, max_new_tokens: int = MAX_NEW_TOKENS
    ) -> Any:
        """Return the answers to a list of questions, each with its own mapping of names to regions."""


@dataclass(frozen=True)
class Asked:
    """An item of a task, the text that came back and what it earned."""

    task: str
    item: Item[Any]
    answer: str
    outcome: Outcome


def chosen(items: Sequence[T], *, limit: int | None, seed: int) -> list[T]:
    """Return the first ``limit`` items after a seeded shuffle; all of them, in order, without a limit.

    >>> chosen(["a", "b", "c", "d"], limit=2, seed=0) == chosen(["a", "b", "c", "d"], limit=3, seed=0)[:2]
    True
    """
    if limit is None:
        return list(items)
    if limit < 1:
        raise UsageError(f"limit is {limit}; expected a whole number from 1, or none for all items")
    return [items[int(index)] for index in np.random.default_rng(seed).permutation(len(items))[:limit]]


def ask_all(
    system: Answerer,
    scenes: Sequence[Scene],
    items: Sequence[tuple[Task[Any], Sequence[Item[Any]]]],
    *,
    picture_shown: Callable[[Picture], Picture] = lambda picture: picture,
    progress: bool,
) -> Iterator[Asked]:
    """Yield what came of every item, picture by picture, with a progress bar on standard error.

    picture_shown: from each picture to the one that the system is shown instead.
    """
    waiting: dict[str, list[tuple[Task[Any], Item[Any]]]] = {}
    for task, own in items:
        for item in own:
            waiting.setdefault(item.picture, []).append((task, item))
    asked_about = [scene for scene in scenes if scene.id in waiting]
    bar = tqdm(asked_about, desc="evaluating", unit="picture", file=sys.stderr, disable=not progress)
    for scene in bar:
        pairs = waiting[scene.id]
        answers = ask_about(
            system, picture_shown(picture_of(scene)), [(item.question, item.regions) for _, item in pairs]
        )
        for task, item in pairs:
            answer = answers[item.question, item.regions]
            yield Asked(task.name, item, answer.text, task.score(answer, item))


def ask_about(system: Answerer, picture: Picture, questions: Sequence[Question]) -> Mapping[Question, Answer]:
    """Return the answer to every different question about a picture, asked in batches of up to 64."""
    different = list(dict.fromkeys(questions))
    answers: dict[Question, Answer] = {}
    for start in range(0, len(different), LARGEST_BATCH):
        batch = different[start : start + LARGEST_BATCH]
        given = system.ask(
            picture,
            [question for question, _ in batch],
            regions=[dict(regions) for _, regions in batch],
            max_new_tokens=MAX_NEW_TOKENS,
        )
        answers.update(zip(batch, given, strict=True))
    return answers


def picture_of(scene: Scene) -> Picture:
    """Return the picture of a scene; RecordError if its size is not the one that the boxes were given for."""
    picture = open_picture(scene.picture.read(), name=scene.picture.name)
    if (picture.width, picture.height) != (scene.width, scene.height):
        raise RecordError(
            f"picture {picture.name} has {picture.width} x {picture.height} pixels, its entry says "
            f"{scene.width} x {scene.height}; so boxes do not fit. Was it resized, or turned by EXIF?"
        )
    return picture

"""A task: what is asked of each picture, when an answer is right, and what costs nothing to reach.

A task is data and three functions, one file in `tasks/`; it knows no system, and the runner knows no task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from deixis.data.scene import Scene
from deixis.regions.shapes import Region

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

T = TypeVar("T")
Columns = Mapping[str, NDArray[np.float64]]
Question = tuple[str, tuple[tuple[str, Region], ...]]
"""A question and the regions that it names in braces."""


@dataclass(frozen=True)
class Item(Generic[T]):
    """One question about the picture of scene ``picture``, with what is pointed at and what is true.

    regions: by the names in the question's ``{braces}``. Regions and boxes are bound to the picture's frame.
    before: what is asked first, oldest first; its answers are what the question follows, and are not judged.
    """

    picture: str
    question: str
    truth: T
    regions: tuple[tuple[str, Region], ...] = ()
    before: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one answer earned: numbers by name, the same names for every item of a task.

    failure: what is wrong with the answer, in words, from tasks that say so; "" for nothing.
    """

    numbers: Mapping[str, float]
    parse_failed: bool = False
    failure: str = ""


def means(columns: Columns) -> dict[str, float]:
    """Return the mean of each number over all items.

    >>> means({"right": np.array([1.0, 0.0, 1.0, 1.0])})
    {'right': 0.75}
    """
    return {name: float(column.mean()) for name, column in columns.items()}


@dataclass(frozen=True)
class Task(Generic[T]):
    """A question put to every picture of a split, and how its answers are judged.

    title: what the field calls it. prompt, points_at, rule: for the protocol card, in words.
    needs: what a dataset has to have so that there is something to ask, for the message where it hasn't.
    places: whether answers are to have places, which a model that writes them in words has to be told.
    items: every item of a split, the same for the same seed, whatever is left out later.
    baselines: what answers that never look at the picture would earn on these items, by name.
    learnt_baselines: the same for answers learnt on other scenes, those that are given.
    measure: from columns with the numbers of every item to those of the task; the first is its value.
    """

    name: str
    prompt: str
    points_at: str
    rule: str
    items: Callable[[Sequence[Scene], int], list[Item[T]]]
    score: Callable[[Answer, Item[T]], Outcome]
    baselines: Callable[[Sequence[Scene], Sequence[Item[T]]], dict[str, float]]
    measure: Callable[[Columns], dict[str, float]] = means
    learnt_baselines: Callable[[Sequence[Scene], Sequence[Item[T]]], dict[str, float]] | None = None
    title: str = ""
    needs: str = "pictures that it can ask about"
    places: bool = False

    @property
    def heading(self) -> str:
        """The id with the title, or the id alone.

        >>> from deixis.evaluation.tasks import TASKS
        >>> TASKS["grounding"].heading
        'grounding (phrase grounding)'
        """
        return f"{self.name} ({self.title})" if self.title else self.name

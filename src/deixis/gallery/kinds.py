"""The kinds of question that a gallery asks, and when an answer is right: as the tasks of evaluation say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deixis.evaluation.task import Item, Task
from deixis.evaluation.tasks.grounding import GROUNDING
from deixis.evaluation.tasks.naming import NAMING
from deixis.evaluation.tasks.presence import PRESENCE

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

RIGHT, WRONG, NOT_JUDGED = VERDICTS = ("right", "wrong", "not judged")
Judging = Callable[["Answer", Item[Any]], str]


@dataclass(frozen=True)
class Kind:
    """A kind of question: its name, when an answer is right in words, and the function that tells.

    judge: from an answer and its question to one of ``VERDICTS``.
    """

    name: str
    rule: str
    judge: Judging


def by_task(task: Task[Any], number: str) -> Judging:
    """Return a judge by what a task says an answer earned: 1 under the name ``number`` is right."""

    def judge(answer: Answer, item: Item[Any]) -> str:
        return RIGHT if task.score(answer, item).numbers[number] == 1.0 else WRONG

    return judge


def open_to_readers(answer: Answer, item: Item[Any]) -> str:
    """Leave an answer to whoever reads it: a dataset cannot say whether a sentence is true."""
    return NOT_JUDGED


SAME_NOUN = "the answer's head noun is one that captions use for it"
LOCATE = Kind(
    "where something is",
    "the best place has IoU ≥ 0.5 with a box that people drew",
    by_task(GROUNDING, "any_box"),
)
NAME_BOX = Kind("what is in a box", SAME_NOUN, by_task(NAMING, "right"))
NAME_POINT = Kind("what is at a point", SAME_NOUN, by_task(NAMING, "right"))
NAME_STROKE = Kind("what is under a stroke", SAME_NOUN, by_task(NAMING, "right"))
PRESENT = Kind("is it there? (it is)", "the answer says yes", by_task(PRESENCE, "right"))
ABSENT = Kind("is it there? (no caption says so)", "the answer says no", by_task(PRESENCE, "right"))
CAPTION = Kind("describe the picture", "left to the reader", open_to_readers)
KINDS = (LOCATE, NAME_BOX, NAME_POINT, NAME_STROKE, PRESENT, ABSENT, CAPTION)

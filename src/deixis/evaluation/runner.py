"""The runner: every number comes from a system's own ``ask``, all questions about a picture together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from tqdm import tqdm

from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.errors import RecordError, UsageError
from deixis.evaluation.keeping.in_order import in_order
from deixis.evaluation.refusals import answers_or_refusals, reason_of, refusal
from deixis.evaluation.task import Item, Outcome, Question, Task
from deixis.pictures.opening import Picture

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

LARGEST_BATCH = 64
MAX_NEW_TOKENS = 64
T = TypeVar("T")
Dialogue = tuple[Question, ...]
"""Questions about one picture, each asked after the answers to those before it."""


class Answerer(Protocol):
    """What evaluation needs of a system."""

    @property
    def name(self) -> str:
        """The system's name, for the report."""

    def ask(
        self,
        picture: Any,
        question: Any,
        *,
        regions: Any = None,
        before: Any = (),
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Any:
        """Return the answers to a list of questions, each with its own mapping of names to regions.

        before: earlier answers about the picture, oldest first; given only where a task asks on.
        """


@dataclass(frozen=True)
class Asked:
    """An item of a task, the text that came back and what it earned.

    before: the answers to the item's earlier questions. refused: why the system refused the question, or one
    before it; "" where it answered. places: the boxes of the answer in pixels of the picture, in its order.
    tokens: how many the answer was written in; None where nobody knows.
    """

    task: str
    item: Item[Any]
    answer: str
    outcome: Outcome
    before: tuple[str, ...] = ()
    refused: str = ""
    places: tuple[tuple[float, float, float, float], ...] = ()
    tokens: int | None = None


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


Pair = tuple[Task[Any], Item[Any]]
Shown = Callable[[Picture], Picture]
Piece = tuple[Scene, Sequence[Pair]]
Ahead = Callable[[Sequence[Piece]], None]
"""What is told of all that will be asked before any of it is, to have it answered and kept elsewhere."""


def ask_all(
    system: Answerer,
    scenes: Sequence[Scene],
    items: Sequence[tuple[Task[Any], Sequence[Item[Any]]]],
    *,
    picture_shown: Shown = lambda picture: picture,
    max_new_tokens: int = MAX_NEW_TOKENS,
    ahead: Ahead | None = None,
    progress: bool,
) -> Iterator[Asked]:
    """Yield what came of every item, picture by picture, with a progress bar on standard error.

    picture_shown: from each picture to the one that the system is shown instead. A system with ``workers``
    is asked about so many pictures at once; what is yielded is in the same order. ahead: is called first.
    """
    waiting: dict[str, list[Pair]] = {}
    for task, own in items:
        for item in own:
            waiting.setdefault(item.picture, []).append((task, item))
    pieces = [(scene, waiting[scene.id]) for scene in scenes if scene.id in waiting]
    if ahead is not None:
        ahead(pieces)
    work = partial(ask_of_scene, system, picture_shown=picture_shown, max_new_tokens=max_new_tokens)
    found = in_order(work, pieces, workers=getattr(system, "workers", 1))
    bar = tqdm(
        found, desc="evaluating", unit="picture", file=sys.stderr, disable=not progress, total=len(pieces)
    )
    for asked in bar:
        yield from asked


def ask_of_scene(
    system: Answerer,
    piece: tuple[Scene, Sequence[Pair]],
    *,
    picture_shown: Shown = lambda picture: picture,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> list[Asked]:
    """Return what came of the items about one scene, in their order.

    A system that has to be told which answers are to have places (``for_places``) is asked for these apart.
    """
    scene, pairs = piece
    picture = picture_shown(picture_of(scene))
    with_places = getattr(system, "for_places", None)
    found: dict[bool, Mapping[Dialogue, Answer]] = {}
    for places in (False, True):
        own = [dialogue_of(item) for task, item in pairs if is_apart(task, with_places) is places]
        if own:
            asked = with_places() if places and with_places is not None else system
            found[places] = ask_about(asked, picture, own, max_new_tokens=max_new_tokens)
    asked_of = []
    for task, item in pairs:
        answers = found[is_apart(task, with_places)]
        *before, answer = (answers[part] for part in openings(dialogue_of(item)))
        asked_of.append(
            Asked(
                task.name,
                item,
                answer.text,
                task.score(answer, item),
                before=tuple(earlier.text for earlier in before),
                refused=reason_of(answer),
                places=tuple(place.box.as_tuple() for span in answer.spans for place in span.places),
                tokens=None if answer.raw is None or not answer.raw.ids else len(answer.raw.ids),
            )
        )
    return asked_of


def is_apart(task: Task[Any], with_places: object) -> bool:
    """Tell whether a task's questions are asked apart from those that want no places."""
    return task.places and with_places is not None


def dialogue_of(item: Item[Any]) -> Dialogue:
    """Return the earlier questions of an item and its own."""
    return (*item.before, (item.question, item.regions))


def openings(dialogue: Dialogue) -> list[Dialogue]:
    """Return a dialogue cut after each of its questions, the shortest first.

    >>> openings((("who is this?", ()), ("and who else?", ())))
    [(('who is this?', ()),), (('who is this?', ()), ('and who else?', ()))]
    """
    return [dialogue[: count + 1] for count in range(len(dialogue))]


def ask_about(
    system: Answerer,
    picture: Picture,
    dialogues: Sequence[Dialogue],
    *,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> Mapping[Dialogue, Answer]:
    """Return the answer to the last question of each dialogue about a picture, and of its openings.

    Each is asked once. Those that follow the same questions are asked together, in batches of up to 64. A
    question that the system refuses, or that follows such a one, has an answer without words (``refusals``).
    """
    follow: dict[Dialogue, list[Dialogue]] = {}
    # Single questions come first in their batches, as if there were no longer dialogues.
    for dialogue in dict.fromkeys(part for whole in sorted(dialogues, key=len) for part in openings(whole)):
        follow.setdefault(dialogue[:-1], []).append(dialogue)
    answers: dict[Dialogue, Answer] = {}
    for before, different in sorted(follow.items(), key=lambda pair: len(pair[0])):
        if before and (reason := reason_of(answers[before])):
            answers.update({dialogue: refusal(picture, reason) for dialogue in different})
            continue
        earlier = {"before": [answers[part] for part in openings(before)]} if before else {}
        for start in range(0, len(different), LARGEST_BATCH):
            batch = different[start : start + LARGEST_BATCH]
            ask = partial(ask_as_one, system, picture, max_new_tokens=max_new_tokens, earlier=earlier)
            given = answers_or_refusals(batch, ask, picture=picture)
            answers.update(zip(batch, given, strict=True))
    return answers


def ask_as_one(
    system: Answerer,
    picture: Picture,
    batch: Sequence[Dialogue],
    *,
    max_new_tokens: int,
    earlier: Mapping[str, Any],
) -> Sequence[Answer]:
    """Return the answers to the last questions of dialogues that begin alike, asked as one batch."""
    given: Sequence[Answer] = system.ask(
        picture,
        [dialogue[-1][0] for dialogue in batch],
        regions=[dict(dialogue[-1][1]) for dialogue in batch],
        max_new_tokens=max_new_tokens,
        **earlier,
    )
    return given


def picture_of(scene: Scene) -> Picture:
    """Return the picture of a scene; RecordError if its boxes were given for another size, or not upright."""
    picture, shown = open_scene(scene)
    if shown is not scene:
        raise RecordError(
            f"picture {picture.name} is turned by its EXIF orientation, and the scene's boxes are in pixels "
            "of the stored file; carry them with deixis.data.opening.upright_scenes first"
        )
    return picture

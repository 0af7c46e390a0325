"""Free: questions as people type them, not as training worded them. Are they answered in kind, and truly?

Two sheets: the first in kinds that the embedded model was made for, the second in those that people ask
first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.data.scene import Scene
from deixis.english.nouns import words_of
from deixis.errors import RecordError
from deixis.evaluation.metrics.answer_kinds import is_of_kind, said_count, verdict
from deixis.evaluation.metrics.answered_noun import answered_noun
from deixis.evaluation.metrics.top_place import fixed_box, hits, top_place
from deixis.evaluation.task import Columns, Item, Outcome, Task
from deixis.evaluation.tasks.free_sheet import SHEET_KINDS, FreeTruth, read_free_sheet
from deixis.evaluation.tasks.skills.asked_answers import (
    asked_blindly,
    asked_content_fault,
    asked_kind_fault,
)
from deixis.evaluation.tasks.skills.asked_sheet import ASKED_KINDS, AskedTruth, read_asked_sheet

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

KINDS = (*SHEET_KINDS, *ASKED_KINDS)
Truth = FreeTruth | AskedTruth
WANTED = {
    "name": "not a name: expected a noun phrase of up to six words",
    "describe": "not a description: expected two words or more, no yes or no, no mere place",
    "where": "no place: expected one, or that it is not in the picture",
    "how_many": "no count: expected a number or places of the things, no yes or no",
    "yes_no": "neither yes nor no",
}
SECOND = "second_sheet"
PRESENCE = {True: "it is there", False: "it is not there"}


def items(scenes: Sequence[Scene], seed: int) -> list[Item[Truth]]:
    """Return the entries of both sheets whose pictures are among the scenes.

    RecordError for a picture of another size than the sheet's coordinates were given for.
    """
    sizes = {scene.id: (scene.width, scene.height) for scene in scenes}
    entries: list[Item[Truth]] = [*read_free_sheet(), *read_asked_sheet()]  # type: ignore[list-item]
    return [checked(item, sizes[item.picture]) for item in entries if item.picture in sizes]


def checked(item: Item[Truth], size: tuple[int, int]) -> Item[Truth]:
    """Return the item if a picture of this size is the one that it was written about; else RecordError."""
    own = item.truth.size
    if own != size:
        raise RecordError(
            f"entry {item.truth.id} is about picture {item.picture} of {own[0]} x {own[1]} pixels, that of "
            f"the dataset has {size[0]} x {size[1]}; so its coordinates do not fit. Was the picture resized?"
        )
    return item


def score(answer: Answer, item: Item[Truth]) -> Outcome:
    """Judge the kind and the content of an answer; ``failure`` says what is wrong with either."""
    truth = item.truth
    if isinstance(truth, AskedTruth):
        kind_fault = asked_kind_fault(answer, truth)
        fault = kind_fault or asked_content_fault(answer, truth)
    else:
        kind_fault = fault_of_kind(answer, truth)
        fault = kind_fault or fault_of_content(answer, truth)
    numbers = {
        "kind": float(kind_fault == ""),
        "content": float(fault == ""),
        SECOND: float(isinstance(truth, AskedTruth)),
    }
    numbers |= {kind: float(kind == truth.kind) for kind in KINDS}
    return Outcome(
        numbers,
        parse_failed=bool(answer.parse_failures),
        failure=f"{truth.id}: {fault}" if fault else "",
    )


def fault_of_kind(answer: Answer, truth: FreeTruth) -> str:
    """Return what is wrong with the kind of an answer, "" for nothing."""
    if answer.parse_failures:
        return f"cannot be parsed: {answer.parse_failures[0]}"
    if answer.unanswerable:
        return "says that it can't be answered"
    if absent_place(truth):
        return "" if answer.nowhere else "does not say that it is nowhere"
    return "" if is_of_kind(answer, truth.expects, things=truth.nouns) else WANTED[truth.expects]


def fault_of_content(answer: Answer, truth: FreeTruth) -> str:
    """Return what is wrong with what an answer of the right kind says, "" for nothing."""
    if absent_place(truth):
        return ""
    match truth.expects:
        case "name" | "describe":
            said = {answered_noun(answer.text)} if truth.expects == "name" else set(words_of(answer.text))
            return "" if said & set(truth.nouns) else f"has none of: {', '.join(truth.nouns)}"
        case "where":
            if hits(top_place(answer), truth.boxes):
                return ""
            return "says that it is nowhere" if answer.nowhere else "the top place is elsewhere"
        case "how_many":
            count = said_count(answer, things=truth.nouns)
            return "" if count == truth.count else f"counts {count}, right is {truth.count}"
        case "yes_no":
            return "" if verdict(answer) == truth.present else PRESENCE[bool(truth.present)]


def absent_place(truth: FreeTruth) -> bool:
    """Tell whether an entry asks where something is that is not in the picture."""
    return truth.expects == "where" and truth.present is False


def measure(columns: Columns) -> dict[str, float]:
    """Return how often the kind is right and how often the content is, over all entries and by their kind.

    Where both sheets were asked, also the content of each.
    """
    numbers = {name: float(columns[name].mean()) for name in ("kind", "content")}
    second = columns[SECOND] == 1
    if second.any() and not second.all():
        numbers |= {
            "first_sheet_content": float(columns["content"][~second].mean()),
            "second_sheet_content": float(columns["content"][second].mean()),
        }
    for kind in KINDS:
        own = columns[kind] == 1
        if own.any():
            numbers |= {f"{kind}_{name}": float(columns[name][own].mean()) for name in ("kind", "content")}
    return numbers


def baselines(scenes: Sequence[Scene], asked: Sequence[Item[Truth]]) -> dict[str, float]:
    """Return the content that is right without looking: yes, a fixed box, and what is most frequent.

    The kind of answer is taken for known; noun, number and word are those that are right for most of these
    items, by sheet; nothing is refused.
    """
    first = [item.truth for item in asked if isinstance(item.truth, FreeTruth)]
    second = [item.truth for item in asked if isinstance(item.truth, AskedTruth)]
    right = [*blindly_right(first), *asked_blindly(second)]
    return {"blind_content": float(np.mean(right))} if right else {}


def blindly_right(truths: Sequence[FreeTruth]) -> list[bool]:
    """Tell of each entry of the first sheet whether the most frequent answers are right."""
    named = [truth.nouns for truth in truths if truth.count is None]
    nouns = Counter(noun for own in named for noun in dict.fromkeys(own))
    counts = Counter(truth.count for truth in truths if truth.count is not None)
    noun = nouns.most_common(1)[0][0] if nouns else ""
    count = counts.most_common(1)[0][0] if counts else 0

    def right(truth: FreeTruth) -> bool:
        if truth.boxes:
            return hits(fixed_box(truth.boxes[0].frame), truth.boxes)
        if truth.count is not None:
            return truth.count == count
        return noun in truth.nouns or (truth.expects == "yes_no" and truth.present is True)

    return [right(truth) for truth in truths]


FREE: Task[Truth] = Task(
    name="free",
    places=True,
    title="questions in free words",
    needs="photos of the split val of flickr_grounding, which its sheets are about",
    prompt="questions in everyday English from two sheets, two_turn ones after one of their own",
    points_at="a box, point, scribble or outline of the sheet, or nothing",
    rule=(
        "the entries of the sheet whose pictures are in the split. `kind`: the answer is of the kind asked "
        "for; name: a noun phrase of up to six words; describe: two words or more, articles not counted; "
        "where: a place, or that it is nowhere; how_many: a number, or a place of the things; yes/no: yes "
        "or no outside the phrases; where for something absent: that it is nowhere; two_turn: its second "
        "answer, by what that question asks. Names, descriptions and counts say neither yes, no nor "
        "nowhere; names and descriptions state no place. `content`: of the right kind, and name: the head "
        "noun is an accepted one; describe: some accepted noun is in it; where: the top place has IoU >= "
        "0.5 with any accepted box; how_many: its first number, else how many places the things have, is "
        "right; yes/no: right. The second sheet: colour: the first colour that is named; activity, wearing, "
        "holding, whole: an accepted word is said, without yes, no or nowhere; yes_no, count and whole as "
        "above; refuse: the answer says that it can't be answered (`unanswerable`, or the question was "
        "refused), which is wrong of all others. `first_sheet_content`, `second_sheet_content`: each alone"
    ),
    items=items,
    score=score,
    baselines=baselines,
    measure=measure,
)

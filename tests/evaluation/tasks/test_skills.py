"""The tasks of the skills: what they ask, what is right, what costs nothing; their sheets are in order."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.answers.grounded import Answer
from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.skills.said_deeds import said_deeds, said_verbs
from deixis.errors import RecordError
from deixis.evaluation.refusals import refusal
from deixis.evaluation.task import Item
from deixis.evaluation.tasks import TASKS
from deixis.evaluation.tasks.free import FREE
from deixis.evaluation.tasks.sheet_file import rows_in
from deixis.evaluation.tasks.skills.activity import ACTIVITY, Done
from deixis.evaluation.tasks.skills.asked_sheet import (
    ASKED_KINDS,
    CAN,
    CANNOT,
    AskedTruth,
    asked_entry,
    read_asked_sheet,
    read_unanswerable_sheet,
)
from deixis.evaluation.tasks.skills.colour import COLOUR
from deixis.evaluation.tasks.skills.relations import RELATIONS
from deixis.evaluation.tasks.skills.unanswerable import UNANSWERABLE, measure
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box
from tests.evaluation.answering import said
from tests.evaluation.packs import SHARED
from tests.evaluation.test_free import matcher, plain, training_wordings

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))
TYPES = {1: "people", 2: "clothing", 3: "vehicles", 4: "animals"}


def caption(text: str, *phrases: tuple[str, int]) -> Caption:
    """Return a caption whose phrases mean one thing each."""
    made = []
    for phrase, thing in phrases:
        start = text.index(phrase)
        made.append(Phrase(start, start + len(phrase), phrase, (thing,), (TYPES[thing],)))
    return Caption(text, tuple(made))


def scene(name: str, *captions: Caption) -> Scene:
    """Return a scene of a person, clothes, a vehicle and an animal."""
    things = tuple(
        Thing(number, Box(number, 0, number + 9, 9), sort, supercategory=sort)
        for number, sort in TYPES.items()
    )
    return Scene(name, PictureFile(Path(f"{name}.jpg")), 100, 50, things, captions, ())


MAN = caption(
    "a white man in a red and black hat is riding a blue bike .",
    ("a white man", 1),
    ("a red and black hat", 2),
    ("a blue bike", 3),
)
RIDER = caption("a man riding a grey bicycle", ("a man", 1), ("a grey bicycle", 3))
DOG = caption("a dog is wearing a blue hat", ("a dog", 4), ("a blue hat", 2))
GIRL = caption("a girl wearing a green mask", ("a girl", 1), ("a green mask", 2))
SCENES = [scene("a", MAN, RIDER), scene("b", DOG), scene("c", GIRL)]


def words(text: str, **fields: Any) -> Answer:
    return replace(said(PICTURE, text), **fields)


def test_all_tasks_are_in_the_table() -> None:
    for task in (COLOUR, ACTIVITY, RELATIONS, UNANSWERABLE, FREE):
        assert TASKS[task.name] is task and task.title and task.rule and task.needs


def test_colours_are_asked_of_things_and_never_of_people() -> None:
    asked = {
        (item.picture, item.regions[0][1].to(PICTURE.frame).as_tuple()[0]): item.truth
        for item in COLOUR.items(SCENES, 0)
    }  # type: ignore[union-attr]
    assert asked == {
        ("a", 2.0): {"red", "black"},
        ("a", 3.0): {"blue", "gray"},
        ("b", 2.0): {"blue"},
        ("c", 2.0): {"green"},
    }
    assert COLOUR.baselines(SCENES, COLOUR.items(SCENES, 0)) == {"most_frequent": 0.5}


@pytest.mark.parametrize(
    ("text", "right"),
    [("The hat is grey.", 1), ("Gray and green.", 1), ("Green and gray.", 0), ("A hat.", 0), ("", 0)],
)
def test_the_first_colour_counts(text: str, right: float) -> None:
    item = Item("a", "what color is {it}?", truth=frozenset(("gray",)))
    assert COLOUR.score(words(text), item).numbers["right"] == right
    assert COLOUR.score(words(text, unanswerable=True), item).numbers["right"] == 0


def test_deeds_are_said_plainly() -> None:
    assert {(deed.who.text, deed.said) for deed in said_deeds(SCENES[0])} == {
        ("a white man", "wearing a red and black hat"),
        ("a man", "riding a grey bicycle"),
    }
    assert said_verbs(SCENES[0], 1) == {"riding"}
    assert said_verbs(scene("d", caption("a man rides a bike", ("a man", 1), ("a bike", 3))), 1) == {"riding"}


def test_each_sort_of_deed_is_asked_once() -> None:
    asked = [(item.picture, item.question) for item in ACTIVITY.items(SCENES, 0)]
    assert asked == [
        ("a", "what is {it} wearing?"),
        ("a", "what is {it} doing?"),
        ("b", "what is {it} wearing?"),
        ("c", "what is {it} wearing?"),
    ]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The man is riding a horse.", 1),
        ("He rides.", 1),
        ("Bicycles.", 1),
        ("The man is running.", 0),
        ("", 0),
    ],
)
def test_a_verb_in_any_form_or_a_noun_is_right(text: str, right: float) -> None:
    item = Item("a", "?", truth=Done("doing", frozenset(("bicycle",)), frozenset(("riding",))))
    assert ACTIVITY.score(words(text), item).numbers["right"] == right
    assert ACTIVITY.score(words(text, parse_failures=("no",)), item).numbers["right"] == 0


def test_relations_are_balanced_and_the_same_for_the_same_seed() -> None:
    asked = RELATIONS.items(SCENES, 0)
    assert Counter(item.truth for item in asked) == {"yes": 2, "far": 2}, "no other animal does anything"
    assert [item.question for item in asked if item.truth == "far"] != []
    assert asked == RELATIONS.items(SCENES, 0)
    man = [item.question for item in asked if item.picture == "a" and item.truth == "far"]
    assert man == ["is {it} wearing a green mask?"]
    assert RELATIONS.baselines(SCENES, asked) == {"always_yes": 0.5}


def test_a_refusal_is_right_only_of_what_cannot_be_answered() -> None:
    cannot, can = (
        next(item for item in read_unanswerable_sheet() if item.truth.answerable is able)
        for able in (False, True)
    )
    refused = words("I can't tell.", unanswerable=True)
    assert UNANSWERABLE.score(refused, cannot).numbers["right"] == 1
    assert UNANSWERABLE.score(refused, can).numbers["right"] == 0
    assert UNANSWERABLE.score(words("A dog."), can).numbers["right"] == 1
    assert UNANSWERABLE.score(words("I can't tell."), cannot).numbers["right"] == 0, (
        "words alone are no result"
    )
    unread = refusal(PICTURE, "the question has words that this system doesn't know")
    assert UNANSWERABLE.score(unread, cannot).numbers["right"] == 1
    assert not UNANSWERABLE.score(unread, cannot).parse_failed


def test_both_halves_count_the_same() -> None:
    columns = {"answerable": np.array([1.0, 0, 0, 0]), "refused": np.array([0.0, 1, 0, 0])}
    columns |= {"right": np.array([1.0, 1, 0, 0])} | {kind: np.zeros(4) for kind in CANNOT}
    numbers = measure(columns)
    assert numbers["balanced"] == pytest.approx((1 / 3 + 1) / 2)
    assert numbers["refused_unanswerable"] == pytest.approx(1 / 3) and numbers["refused_answerable"] == 0


def asked(kind: str, **known: Any) -> Item[AskedTruth]:
    return Item("9", "?", AskedTruth("it-01", kind, (100, 50), **known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("item", "answer", "kind", "content"),
    [
        (asked("colour", words=("grey",)), words("The dog is gray."), 1, 1),
        (asked("colour", words=("grey",)), words("Black and gray."), 1, 0),
        (asked("colour", words=("grey",)), words("A dog."), 0, 0),
        (asked("activity", words=("running", "runs")), words("The dog is running."), 1, 1),
        (asked("activity", words=("running", "runs")), words("Yes, the dog is running."), 0, 0),
        (asked("whole", words=("outdoors",)), words("It is outdoors."), 1, 1),
        (asked("yes_no", yes=False), words("No, the man is sitting."), 1, 1),
        (asked("yes_no", yes=False), words("The man is sitting."), 0, 0),
        (asked("count", count=2), words("People: two."), 1, 1),
        (asked("count", count=2), words("People."), 0, 0),
        (asked("refuse"), words("I can't tell.", unanswerable=True), 1, 1),
        (asked("refuse"), words("A dog."), 0, 0),
        (asked("count", count=2), words("Two.", unanswerable=True), 0, 0),
    ],
)
def test_answers_to_the_second_sheet(
    item: Item[AskedTruth], answer: Answer, kind: float, content: float
) -> None:
    outcome = FREE.score(answer, item)  # type: ignore[arg-type]
    assert (outcome.numbers["kind"], outcome.numbers["content"]) == (kind, content)
    assert outcome.numbers[item.truth.kind] == 1 and bool(outcome.failure) == (not content)


def test_the_sheets_have_enough_of_every_kind() -> None:
    second = Counter(item.truth.kind for item in read_asked_sheet())
    assert set(second) == set(ASKED_KINDS) and second.total() >= 120
    halves = read_unanswerable_sheet()
    cannot = Counter(item.truth.kind for item in halves if not item.truth.answerable)
    can = Counter(item.truth.kind for item in halves if item.truth.answerable)
    assert set(cannot) == set(CANNOT) and set(can) == set(CAN)
    assert min(cannot.total(), can.total()) >= 100 and min(cannot.values()) >= 12


def test_no_question_that_is_measured_is_a_wording_of_training() -> None:
    patterns = [pattern for text in sorted(training_wordings()) if (pattern := matcher(text))]
    measured = [item.question for item in read_asked_sheet()]
    measured += [item.question for item in read_unanswerable_sheet() if not item.truth.answerable]
    known = [text for text in measured if any(pattern.fullmatch(plain(text)) for pattern in patterns)]
    assert known == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared datasets are not there")
def test_the_sheets_are_about_pictures_of_val() -> None:
    sizes = {one.id: (one.width, one.height) for one in read_pack(SHARED, "val")}
    for item in (*read_asked_sheet(), *read_unanswerable_sheet()):
        assert sizes[item.picture] == item.truth.size, item.truth.id


ENTRY = {
    "id": "x",
    "kind": "colour",
    "picture": "9",
    "size": [100, 50],
    "question": "Colour?",
    "truth": {"words": ["red"]},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "who"}, "'kind' is 'who'"),
        ({"truth": {"words": []}}, "is empty"),
        ({"truth": {"word": ["red"]}}, "expected an object with one of"),
        ({"truth": {"unanswerable": True}}, "does not go with kind colour"),
        ({"size": [3]}, "'size'"),
        ({"question": "{it}?"}, "the question names"),
        ({"note": 1}, "is no field"),
    ],
)
def test_mistakes_in_a_sheet_are_named(change: dict[str, Any], message: str) -> None:
    header = {"about": "a test", "pack": "toy", "split": "val", "version": 1}
    (row,) = rows_in(json.dumps(header | {"entries": [ENTRY | change]}), where="sheet")
    with pytest.raises(RecordError, match=message):
        asked_entry(row)

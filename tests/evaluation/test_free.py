"""The free task: its sheet, how it grades, and that no question of it is a wording of training."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deixis.data.synthesis
from deixis.answers.grounded import Answer, Place, Span
from deixis.data.scene import PictureFile, Scene
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.question_writer import CHOICE
from deixis.data.synthesis.skills.facts import ON
from deixis.english.colours import COLOURS
from deixis.errors import RecordError, UsageError
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.metrics.answer_kinds import is_of_kind, said_count, verdict
from deixis.evaluation.runner import ask_about
from deixis.evaluation.task import Item
from deixis.evaluation.tasks import TASKS
from deixis.evaluation.tasks.free import FREE, baselines, measure, score
from deixis.evaluation.tasks.free_sheet import SHEET_KINDS, FreeTruth, parse_free_sheet, read_free_sheet
from deixis.evaluation.tasks.skills.asked_sheet import read_asked_sheet
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point, Region
from tests.evaluation.answering import Fake, said
from tests.evaluation.packs import SHARED
from tests.toy.pack import write_toy_pack

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))
LEFT, RIGHT = (Box(*edges, frame=PICTURE.frame) for edges in ((0, 0, 20, 20), (50, 10, 90, 40)))


def placed(text: str, phrase: str, *boxes: Box) -> Answer:
    """An answer in which a phrase has these places, or is nowhere."""
    start = text.index(phrase)
    span = Span(
        start,
        start + len(phrase),
        phrase,
        tuple(Place(box, 0.9 - 0.1 * index) for index, box in enumerate(boxes)),
        nowhere=not boxes,
        nowhere_score=0.1 if boxes else 0.9,
    )
    return Answer(text, (span,), PICTURE, system="fake", seconds=0.0)


def words(text: str) -> Answer:
    return said(PICTURE, text)


def truth(kind: str, expects: str, **known: Any) -> Item[FreeTruth]:
    return Item("9", "?", FreeTruth("it-01", kind, expects, size=(100, 50), **known))  # type: ignore[arg-type]


NAMED = truth("name", "name", nouns=("dog", "puppy"))
DESCRIBED = truth("describe", "describe", nouns=("dog", "puppy"))
LOCATED = truth("where", "where", boxes=(RIGHT,))
COUNTED = truth("how_many", "how_many", count=2, nouns=("dogs", "dog"))
THERE = truth("is_there", "yes_no", present=True)
ABSENT = truth("not_there", "yes_no", present=False)
LOST = truth("not_there", "where", present=False)
FOLLOWED = truth("two_turn", "where", boxes=(RIGHT,))


@pytest.mark.parametrize(
    ("item", "answer", "kind", "content"),
    [
        (NAMED, words("A dog."), 1, 1),
        (NAMED, words("It's a small brown dog in grass."), 1, 1),
        (NAMED, words("Dog"), 1, 1),
        (NAMED, words("A man who is running."), 1, 0),
        (NAMED, words("a cat"), 1, 0),
        (NAMED, words("A small brown dog that runs over the green grass."), 0, 0),
        (NAMED, words("Yes."), 0, 0),
        (NAMED, placed("A dog? Yes, it is in the picture.", "A dog", LEFT), 0, 0),
        (NAMED, placed("A dog is here.", "A dog", LEFT), 0, 0),
        (NAMED, placed("The dog is not in the picture.", "The dog"), 0, 0),
        (NAMED, words("I don't know."), 0, 0),
        (NAMED, words("Two."), 0, 0),
        (NAMED, words(""), 0, 0),
        (DESCRIBED, words("A small puppy with a red collar."), 1, 1),
        (DESCRIBED, words("brown dog"), 1, 1),
        (DESCRIBED, words("A black cat."), 1, 0),
        (DESCRIBED, words("A dog."), 0, 0),
        (DESCRIBED, words("Yes, a small puppy."), 0, 0),
        (DESCRIBED, words("A small dog's not in the picture."), 0, 0),
        (DESCRIBED, placed("The brown dog is here.", "The brown dog", LEFT), 0, 0),
        (LOCATED, placed("The dog is here.", "The dog", RIGHT), 1, 1),
        (LOCATED, placed("The dog is here.", "The dog", LEFT, RIGHT), 1, 0),
        (LOCATED, placed("The dog is not in the picture.", "The dog"), 1, 0),
        (LOCATED, words("On the grass."), 0, 0),
        (COUNTED, placed("Two dogs are here.", "Two dogs", LEFT), 1, 1),
        (COUNTED, words("There are 2."), 1, 1),
        (COUNTED, placed("The dogs are here.", "The dogs", LEFT, RIGHT), 1, 1),
        (COUNTED, placed("The dogs are here.", "The dogs", LEFT), 1, 0),
        (COUNTED, placed("They are here.", "They", LEFT, RIGHT), 1, 1),
        (COUNTED, placed("The grass is here.", "The grass", LEFT, RIGHT), 0, 0),
        (COUNTED, placed("Three dogs are here.", "Three dogs", LEFT, RIGHT), 1, 0),
        (COUNTED, placed("Dogs? Yes, they are in the picture.", "Dogs", LEFT, RIGHT), 0, 0),
        (COUNTED, placed("Two dogs are not in the picture.", "Two dogs"), 0, 0),
        (COUNTED, words("A dog in the grass."), 0, 0),
        (THERE, placed("A dog? Yes, it is in the picture.", "A dog", LEFT), 1, 1),
        (THERE, placed("No dogs sign? Yes.", "No dogs sign", LEFT), 1, 1),
        (THERE, placed("A dog? No, it is not in the picture.", "A dog"), 1, 0),
        (THERE, placed("A dog is here.", "A dog", LEFT), 0, 0),
        (ABSENT, placed("A dog? No, it is not in the picture.", "A dog"), 1, 1),
        (ABSENT, words("Nope."), 1, 1),
        (ABSENT, words("yes"), 1, 0),
        (ABSENT, placed("A dog is not in the picture.", "A dog"), 0, 0),
        (LOST, placed("The dog is not in the picture.", "The dog"), 1, 1),
        (LOST, placed("The dog is here.", "The dog", LEFT), 0, 0),
        (LOST, words("I see no dog."), 0, 0),
        (FOLLOWED, placed("The dog is here.", "The dog", RIGHT), 1, 1),
        (FOLLOWED, words("A dog."), 0, 0),
    ],
)
def test_answers_are_graded_in_kind_and_in_content(
    item: Item[FreeTruth], answer: Answer, kind: float, content: float
) -> None:
    outcome = score(answer, item)
    assert (outcome.numbers["kind"], outcome.numbers["content"]) == (kind, content)
    assert outcome.numbers[item.truth.kind] == 1
    assert sum(outcome.numbers[other] for other in SHEET_KINDS) == 1
    assert bool(outcome.failure) == (not content)
    assert not outcome.failure or outcome.failure.startswith("it-01: ")


@pytest.mark.parametrize("item", [NAMED, DESCRIBED, LOCATED, COUNTED, THERE, LOST])
def test_an_answer_that_cannot_be_parsed_is_of_no_kind(item: Item[FreeTruth]) -> None:
    answer = replace(placed("Two dogs? Yes.", "Two dogs", RIGHT), parse_failures=("<place> without </p>",))
    outcome = score(answer, item)
    assert (outcome.numbers["kind"], outcome.numbers["content"], outcome.parse_failed) == (0, 0, True)
    assert "<place> without </p>" in outcome.failure


def test_the_first_verdict_and_the_said_number_count() -> None:
    assert verdict(words("Yes, no doubt.")) is True
    assert verdict(words("Not here.")) is None
    assert said_count(placed("Dogs are here.", "Dogs", LEFT, LEFT)) == 1, "one place, given twice"
    assert said_count(words("Dogs.")) is None
    assert is_of_kind(words("3 of them"), "how_many")


def test_rates_are_given_for_every_kind_that_was_asked() -> None:
    answers = [(NAMED, words("A dog.")), (NAMED, words("a cat")), (THERE, words("Hm."))]
    outcomes = [score(answer, item).numbers for item, answer in answers]
    columns = {name: np.array([numbers[name] for numbers in outcomes]) for name in outcomes[0]}
    assert measure(columns) == pytest.approx(
        {
            "kind": 2 / 3,
            "content": 1 / 3,
            "name_kind": 1,
            "name_content": 0.5,
            "is_there_kind": 0,
            "is_there_content": 0,
        }
    )


def test_the_blind_answerer_says_yes_two_and_the_most_frequent_noun() -> None:
    asked = [NAMED, DESCRIBED, replace(NAMED, truth=replace(NAMED.truth, nouns=("hat",))), COUNTED, THERE]
    assert baselines([], [*asked, ABSENT, LOST, LOCATED]) == {"blind_content": 4 / 8}
    assert baselines([], []) == {}


SHEET = read_free_sheet()
QUESTIONS = [text for item in SHEET for text in (*(q for q, _ in item.before), item.question)]


def test_the_sheet_has_enough_of_every_kind() -> None:
    counts = Counter(item.truth.kind for item in SHEET)
    assert set(counts) == set(SHEET_KINDS)
    assert min(counts.values()) >= 12
    assert len({item.truth.id for item in SHEET}) == len(SHEET) >= 104
    assert len({item.picture for item in SHEET}) >= 60
    absent = Counter(item.truth.expects for item in SHEET if item.truth.kind == "not_there")
    assert absent["where"] == absent["yes_no"]


def test_what_the_sheet_points_at_lies_in_its_pictures() -> None:
    shapes = Counter[str]()
    for item in SHEET:
        frame = Frame.original(*item.truth.size)
        for _, regions in (*item.before, (item.question, item.regions)):
            for _, region in regions:
                assert region.frame == frame
                assert region.clipped(frame).to(frame) == region
                shapes[type(region).__name__] += 1
        assert len(item.before) == (item.truth.kind == "two_turn")
        assert bool(item.regions) or item.truth.kind not in ("name", "describe")
    assert set(shapes) == {"Box", "Point", "Scribble", "Polygon"}


def test_questions_are_short_and_different() -> None:
    assert max(len(text.split()) for text in QUESTIONS) < 25
    asked = Counter((item.before, item.question) for item in SHEET)
    assert max(asked.values()) == 1


def strings_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from strings_of(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from strings_of(one)


def training_wordings() -> set[str]:
    """Every string that stands in some table with templates in a module of deixis.data.synthesis."""
    found: set[str] = set()
    below = deixis.data.synthesis
    for module in pkgutil.walk_packages(below.__path__, prefix=f"{below.__name__}."):
        if not module.ispkg:
            for value in vars(importlib.import_module(module.name)).values():
                texts = list(strings_of(value)) if isinstance(value, tuple | list | Mapping) else []
                if any("{" in text for text in texts):
                    found.update(one for text in texts for one in alternatives(text))
    return found


def alternatives(wording: str) -> list[str]:
    """Everything that a wording with choices like (this|that) can become."""
    parts = re.split(r"(\([^()]*\|[^()]*\)|<be>)", wording)
    choices = [
        ["is", "are"] if part == "<be>" else part[1:-1].split("|") if CHOICE.fullmatch(part) else [part]
        for part in parts
    ]
    return ["".join(chosen) for chosen in product(*choices)]


def plain(text: str) -> str:
    """A text without case and punctuation; regions as {it}, other slots as they are."""
    text = re.sub(r"\{\w+\}", "{it}", text.lower())
    return " ".join(re.sub(r"[^\w{}]+", " ", text.replace("'", "").replace("’", "")).split())


FILLINGS = {
    "said": r"\w+ing\b.*",
    "verb": r"\w+ing(?: \w+)?",
    "link": "|".join(ON),
    "colour": "|".join(sorted(COLOURS)),
    "place": "indoors|inside|outdoors|outside",
    "a": r"(?:an?|the) .+",
    "b": r"(?:an?|the) .+",
    "quality": r"\w+",
    "item": r"\w+",
}  # what named slots take; any other takes anything


def matcher(template: str) -> re.Pattern[str] | None:
    """What any filling of a template looks like; None for one that is nothing but slots."""
    parts = re.split(r"\{(?!it\})(\w*)\}", template)
    texts = [re.escape(plain(part)) for part in parts[::2]]
    if not any(re.search(r"[a-z]", text) for text in texts):
        return None
    slots = [rf"\s*(?:{FILLINGS.get(name, '.+')})\s*" for name in parts[1::2]]
    return re.compile("".join(text + slot for text, slot in zip(texts, [*slots, ""], strict=True)))


def test_templates_are_found_and_matched_with_any_filling() -> None:
    assert len(training_wordings()) > 400
    assert set(alternatives("(a|)b <be> {}")) == {"ab is {}", "ab are {}", "b is {}", "b are {}"}
    where = matcher("where is {}?")
    assert where is not None
    assert where.fullmatch(plain("Where is the dog, in the green hat"))
    assert not where.fullmatch(plain("Where's the dog?"))
    name = matcher("what is this? {it}")
    assert name is not None
    assert name.fullmatch(plain("WHAT IS THIS {it}"))
    assert not name.fullmatch(plain("What is this thing? {it}"))
    assert matcher("{}?") is None


def test_no_question_of_the_sheet_is_a_wording_of_training() -> None:
    patterns = [pattern for text in sorted(training_wordings()) if (pattern := matcher(text))]
    known = [text for text in QUESTIONS if any(pattern.fullmatch(plain(text)) for pattern in patterns)]
    # What everybody asks in the same words, of skills that the sheet has little of; see the second sheet.
    assert known == [
        "Is the dog wearing a collar?",
        "Is someone lying on the ground?",
        "What are the two of them doing?",
    ]


ENTRY: dict[str, Any] = {
    "id": "where-01",
    "kind": "where",
    "picture": "9",
    "size": [100, 50],
    "turns": [{"question": "Seen the dog?", "regions": {}}],
    "truth": {"boxes": [[0, 0, 20, 20]]},
}


def sheet(*entries: Mapping[str, Any], **header: Any) -> str:
    fields = {"about": "a test", "pack": "toy", "split": "val", "version": 1, **header}
    return json.dumps({**fields, "entries": list(entries)})


def test_a_sheet_is_read_with_its_regions_in_the_frame_of_the_picture() -> None:
    point = {"question": "Who's {it}?", "regions": {"it": {"point": [3, 4]}}}
    entry = ENTRY | {"kind": "two_turn", "expects": "where", "turns": [point, ENTRY["turns"][0]]}
    (item,) = parse_free_sheet(sheet(entry), where="sheet.json")
    ((question, ((name, region),)),) = item.before
    assert (question, name, region.to(PICTURE.frame)) == (
        "Who's {it}?",
        "it",
        Point(3, 4, frame=PICTURE.frame),
    )
    assert (item.picture, item.question) == ("9", "Seen the dog?")
    assert [box.to(PICTURE.frame) for box in item.truth.boxes] == [LEFT]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "who"}, "'kind' is 'who'; expected one of name, describe"),
        ({"kind": "not_there"}, "'expects' is missing"),
        ({"expects": "where"}, "only for not_there and two_turn"),
        ({"kind": "not_there", "expects": "name"}, "expected one of where, yes_no"),
        ({"size": [100]}, "'size'"),
        ({"turns": ENTRY["turns"] * 2}, "'turns' has 2"),
        ({"turns": [{"question": "What's {it}?", "regions": {}}]}, "the question names"),
        ({"turns": [{"question": " ", "regions": {}}]}, "has no words"),
        ({"turns": [{"question": "a {b}", "regions": {"b": {"dot": [1, 2]}}}]}, "exactly one of box, point"),
        ({"truth": {"present": True}}, "expected an object with 'boxes'"),
        ({"truth": {"boxes": []}}, "'boxes' is empty"),
        ({"truth": {"boxes": [[500, 0, 600, 9]]}}, "'boxes'"),
        ({"truth": {"boxes": [[5, 0, 1]]}}, "4 finite numbers"),
        ({"kind": "is_there", "truth": {"present": False}}, "'present' is false for kind is_there"),
        ({"kind": "how_many", "truth": {"count": 0, "nouns": ["dogs"]}}, "at least 1"),
        ({"kind": "how_many", "truth": {"count": 2, "nouns": []}}, "'nouns' is empty"),
        ({"kind": "how_many", "truth": {"count": 2}}, "expected an object with 'count' and 'nouns'"),
        ({"note": 1}, "is no field"),
    ],
)
def test_mistakes_in_a_sheet_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=re.escape(message)) as caught:
        parse_free_sheet(sheet(ENTRY | change), where="sheet.json")
    assert "entries[0]" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "expected an object"),
        (sheet(ENTRY, ENTRY), "'where-01' is used 2 times"),
        (sheet(ENTRY, version=2), "reads version 1"),
    ],
)
def test_a_broken_sheet_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        parse_free_sheet(text, where="sheet.json")


def scene(name: str, width: int, height: int) -> Scene:
    return Scene(
        name, PictureFile(Path(f"{name}.jpg")), width, height, things=(), captions=(), expressions=()
    )


def test_only_pictures_of_the_split_are_asked_about() -> None:
    first = SHEET[0]
    (size, own) = (first.truth.size, [item for item in SHEET if item.picture == first.picture])
    assert FREE.items([scene(first.picture, *size), scene("0", 9, 9)], 0) == own
    with pytest.raises(RecordError, match=r"its coordinates do not fit"):
        FREE.items([scene(first.picture, 640, 480)], 0)


def test_a_pack_without_these_pictures_has_nothing_to_ask(tmp_path: Path) -> None:
    scenes = read_pack(write_toy_pack(tmp_path / "toy", pictures=3), "val")
    with pytest.raises(UsageError, match="task 'free' finds nothing to ask"):
        evaluate(Remembering(), scenes, [TASKS["free"]], data="toy", split="val")


class Remembering(Fake):
    """Says how many answers came before, and keeps what it was asked with."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[list[str], list[str]]] = []

    def ask(
        self,
        picture: Picture,
        question: list[str],
        *,
        regions: Sequence[Mapping[str, Region]],
        before: Sequence[Answer] = (),
        max_new_tokens: int = 64,
    ) -> list[Answer]:
        self.asked.append((list(question), [answer.text for answer in before]))
        return [said(picture, f"{text} after {len(before)}") for text in question]


def test_earlier_questions_are_asked_first_and_only_once() -> None:
    who, where, how, plain_one = (("who?", ()), ("where?", ()), ("how?", ()), ("plain?", ()))
    system = Remembering()
    answers = ask_about(
        system, PICTURE, [(who, where), (who, how), (plain_one,), (who,), (how, where), (plain_one,)]
    )
    assert system.asked == [
        (["plain?", "who?", "how?"], []),
        (["where?", "how?"], ["who? after 0"]),
        (["where?"], ["how? after 0"]),
    ]
    assert answers[who, how].text == "how? after 1"


def test_an_item_with_an_earlier_question_is_reported_with_it(tmp_path: Path) -> None:
    scenes = read_pack(write_toy_pack(tmp_path / "toy", pictures=3), "val")[:1]
    frame = Frame.original(scenes[0].width, scenes[0].height)
    known = replace(NAMED.truth, size=(scenes[0].width, scenes[0].height))
    region = (("it", Point(3, 4, frame=frame)),)
    item = Item(scenes[0].id, "And what is it?", known, before=(("Who's {it}?", region),))
    task = replace(FREE, items=lambda scenes, seed: [item])
    report = evaluate(Remembering(), scenes, [task], data="toy", split="val")
    assert report.tasks["free"].n == 1
    report.save_items(tmp_path / "items.jsonl")
    saved = json.loads((tmp_path / "items.jsonl").read_text(encoding="utf-8"))
    assert saved["before"] == [
        {"question": "Who's {it}?", "regions": {"it": {"point": [3, 4]}}, "answer": "Who's {it}? after 0"}
    ]
    assert saved["answer"] == "And what is it? after 1"
    assert saved["truth"] == {
        "id": "it-01",
        "kind": "name",
        "expects": "name",
        "size": list(known.size),
        "nouns": ["dog", "puppy"],
    }
    assert saved["failure"].startswith("it-01: not a name")
    assert report.failures_to_markdown() == (
        "### Failures (1)\n\n"
        f"- free, picture {item.picture}: “Who's {{it}}?” → “Who's {{it}}? after 0” “And what is it?” → "
        f"“And what is it? after 1” – {saved['failure']}"
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="the pack flickr_grounding is not beside the checkout")
def test_every_picture_of_the_sheet_is_in_val() -> None:
    scenes = read_pack(SHARED, "val")
    items = FREE.items(scenes, 0)
    assert items == [*SHEET, *read_asked_sheet()]
    assert FREE.baselines(scenes, items)["blind_content"] < 0.35

"""Dialogues of the skills: true, grounded, balanced, deterministic; none where none is asked for."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from deixis.data.synthesis.dialogue_mix import SKILLS, DialogueMix
from deixis.data.synthesis.dialogue_writer import write_dialogues
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words
from deixis.data.synthesis.question_writer import pattern
from deixis.data.synthesis.skills.facts import Deed, Part
from deixis.data.synthesis.skills.opposites import surely_not
from deixis.data.synthesis.skills.skill_book import SkillBook
from deixis.data.synthesis.skills.whole_picture import all_people, outdoors
from deixis.data.synthesis.skills.wording import told
from deixis.data.synthesis.templates.follow_ups import FURTHER_PHRASE
from deixis.data.synthesis.templates.questions import ALL as BEFORE
from deixis.data.synthesis.templates.skills import ALL
from deixis.data.synthesis.templates.unanswerable import UNANSWERABLE
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.verb_forms import first_person, ing_form
from deixis.records.dialogue import Dialogue
from tests.data.synthesis.skills.sentences import WrittenParser, caption, park, pool, scene
from tests.data.synthesis.test_views import view_of

SCENES = (park(), pool())
PEOPLE = ("people",)


@pytest.fixture(scope="module")
def seen() -> list[VisibleScene]:
    book = SkillBook(SCENES, WrittenParser())  # type: ignore[arg-type]
    return [
        VisibleScene(
            one,
            view=view_of(one, mirror=0.0, zoom=1.0),
            words=caption_words(one),
            phrasebook=Phrasebook(SCENES),
            skills=book,
            facts=book.facts[number],
        )
        for number, one in enumerate(SCENES)
    ]


def drawn(seen: list[VisibleScene], kind: str, seeds: int = 200) -> list[Dialogue]:
    return [
        dialogue
        for seed in range(seeds)
        for view in seen
        for dialogue in write_dialogues(view, kind, 2, np.random.default_rng(seed))
    ]


@pytest.mark.parametrize("kind", [kind for kind in SKILLS if kind not in ("quality",)])
def test_every_skill_is_practised_and_its_marks_lie_in_the_answer(
    seen: list[VisibleScene], kind: str
) -> None:
    made = drawn(seen, kind, 60)
    assert made and {dialogue.kind for dialogue in made} == {kind}
    for dialogue in made:
        (turn,) = dialogue.turns
        assert (
            turn.intent is not None and turn.question.strip() and not re.search(r"\{(?!it\})", turn.question)
        )
        assert {name for name, _ in turn.regions} == set(re.findall(r"\{(it)\}", turn.question))
        assert all(mark.boxes for mark in turn.marks)


def test_the_same_seed_writes_the_same(seen: list[VisibleScene]) -> None:
    for kind in SKILLS:
        assert drawn(seen, kind, 5) == drawn(seen, kind, 5)


def test_answers_say_who_with_a_place(seen: list[VisibleScene]) -> None:
    for kind in ("deed", "doer", "relation", "colour"):
        for dialogue in drawn(seen, kind, 40):
            (turn,) = dialogue.turns
            first = turn.marks[0]
            assert turn.answer[: first.start] in ("", "yes, ", "no, ")
            assert turn.answer[first.end :].startswith((" is ", " are "))


def test_a_colour_is_not_asked_for_by_naming_it(seen: list[VisibleScene]) -> None:
    for dialogue in drawn(seen[:1], "colour", 100):
        (turn,) = dialogue.turns
        if not turn.answer.startswith(("yes", "no")):
            assert not set(turn.question.rstrip("?.").split()) & {"red", "black", "white"}, turn.question


def test_yes_and_no_are_as_frequent(seen: list[VisibleScene]) -> None:
    verdicts = Counter(dialogue.turns[0].answer.split(",")[0] for dialogue in drawn(seen, "relation"))
    assert set(verdicts) == {"yes", "no"} and 0.4 < verdicts["yes"] / verdicts.total() < 0.6


def test_what_is_denied_is_what_no_caption_leaves_room_for(seen: list[VisibleScene]) -> None:
    asked = {d.turns[0].question for d in drawn(seen[:1], "relation") if d.turns[0].answer.startswith("no")}
    assert asked and all("swimming" in question or "blue dress" in question for question in asked)


@pytest.mark.parametrize(
    ("deed", "sure"),
    [
        (Deed(Part("a man", "man", (1,), PEOPLE), "running", "running"), True),
        (Deed(Part("a man", "man", (1,), PEOPLE), "smiling", "smiling"), False),
        (Deed(Part("a man", "man", (1,), PEOPLE), "kneeling", "kneeling"), False),
        (
            Deed(Part("a man", "man", (1,), PEOPLE), "riding", "riding", "", Part("a horse", "horse", ())),
            True,
        ),
        (
            Deed(Part("a man", "man", (1,), PEOPLE), "wearing", "wearing", "", Part("a shirt", "shirt", ())),
            False,
        ),
        (Deed(Part("a man", "man", (1,), PEOPLE), "wearing", "wearing", "", Part("a cap", "cap", ())), False),
        (
            Deed(Part("a man", "man", (1,), PEOPLE), "wearing", "wearing", "", Part("a mask", "mask", ())),
            True,
        ),
        (
            Deed(Part("a man", "man", (1,), PEOPLE), "wearing", "wearing", "", Part("a blue hat", "hat", ())),
            True,
        ),
    ],
)
def test_what_nobody_does_who_sits_in_a_red_hat(deed: Deed, sure: bool) -> None:
    hat = Deed(deed.who, "wearing", "wearing", "", Part("a red hat", "hat", (4,)))
    words, doings = (
        frozenset(("a", "man", "red", "hat", "sitting", "bench")),
        frozenset(("sitting", "wearing")),
    )
    assert surely_not(deed, [hat], words=words, doings=doings) is sure


def test_the_whole_picture_is_told_only_where_captions_agree() -> None:
    two = [caption("a dog on the grass"), caption("a dog in a field")]
    assert outdoors(scene("a", *two)) is True
    assert outdoors(scene("a", two[0])) is None
    assert outdoors(scene("a", *two, caption("a dog in a room"))) is None
    assert outdoors(scene("a", caption("a cat on a sofa"), caption("a cat in a kitchen"))) is False


def test_people_are_counted_only_where_all_are_known() -> None:
    two_men = caption("two men", two_men=("people", (1, 2)))
    assert all_people(scene("a", two_men)) == (1, 2)
    assert all_people(scene("a", two_men, caption("some men", some_men=("people", (1, 2))))) is None
    assert all_people(scene("a", caption("a man", a_man=("people", ())))) is None
    assert all_people(scene("a", caption("a bench", a_bench=("other", (3,))))) is None


def test_pieces_become_an_answer_with_marks() -> None:
    answer, marks = told("yes,", ("the man", ()), "is wearing", ("a hat", ()), ".")
    assert answer == "yes, the man is wearing a hat."
    assert [answer[mark.start : mark.end] for mark in marks] == ["the man", "a hat"]


def test_a_mix_without_skills_needs_no_parser() -> None:
    assert DialogueMix().skills == ()
    assert DialogueMix(colour=0.5, refuse=1.0).skills == ("colour", "refuse")


def test_what_cannot_be_told_is_asked_in_words_of_its_own() -> None:
    """A question that could be drawn for either could not be learnt as either."""
    every = [
        pattern(template).replace("(?:.+)", "the man") for template in {*BEFORE, *ALL} - {*FURTHER_PHRASE}
    ]
    answerable = [re.compile(known) for known in every]
    for sort, templates in UNANSWERABLE.items():
        assert len(set(templates)) == len(templates) >= 15
        for template in templates:
            plain = re.sub(r"\(([^()|]*)\|[^()]*\)", r"\1", template).replace("<be>", "is").rstrip("?.")
            asked = plain.replace("{}", "the man")
            hits = [known.pattern for known in answerable if known.fullmatch(asked)]
            assert not hits, (sort, asked, hits)


@pytest.mark.parametrize("verb", ["rides", "watches", "flies", "runs", "poses"])
def test_verbs_are_told_apart_by_one_form(verb: str) -> None:
    assert ing_form(first_person(verb)).endswith("ing")

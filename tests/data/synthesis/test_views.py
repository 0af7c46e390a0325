"""Dialogues drawn from scenes: every kind, true absence, places inside the view, same rng same example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deixis.data.augment import Augmentation, View, draw_view
from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.dialogue_mix import KINDS, DialogueMix
from deixis.data.synthesis.dialogue_writer import write_dialogues
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words, phrases_of, same_word
from deixis.data.synthesis.phrasing import definite, sided
from deixis.data.synthesis.views import DialogueSource, template_texts
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.data.synthesis.writers.captioning import caption_dialogues
from deixis.data.synthesis.writers.counting import counted_kind
from deixis.english.nouns import head_noun
from deixis.errors import RecordError
from deixis.records.dialogue import Dialogue, Example, Mark, Turn
from deixis.regions.shapes import Box, Outline, Point
from tests.toy.pack import write_toy_pack

PLENTY = DialogueMix(*(2.0 for _ in KINDS))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=8, seed=1), "train")


@pytest.fixture(scope="module")
def source(scenes: list[Scene]) -> DialogueSource:
    return DialogueSource(
        scenes, phrasebook=Phrasebook(scenes), mix=PLENTY, augmentation=Augmentation(), side=64
    )


@pytest.fixture(scope="module")
def examples(source: DialogueSource) -> list[Example]:
    rng = np.random.default_rng(0)
    return [source.example(index, rng) for _ in range(6) for index in range(len(source))]


def turns_of(examples: list[Example], *kinds: str) -> Iterator[tuple[Example, Dialogue, Turn]]:
    for example in examples:
        for dialogue in example.dialogues:
            if not kinds or dialogue.kind in kinds:
                for turn in dialogue.turns:
                    yield example, dialogue, turn


def test_every_kind_occurs(examples: list[Example]) -> None:
    assert {dialogue.kind for example in examples for dialogue in example.dialogues} == set(KINDS)


def test_absent_phrases_have_no_place_and_their_head_noun_is_in_no_caption(
    examples: list[Example], scenes: list[Scene]
) -> None:
    words = {scene.id: caption_words(scene) for scene in scenes}
    seen = 0
    for example, _, turn in turns_of(examples, "absent", "absent_bare"):
        (mark,) = turn.marks
        assert mark.boxes == ()
        assert not same_word(head_noun(turn.answer[mark.start : mark.end]), words[example.name])
        seen += 1
    assert seen > 50


def test_absent_questions_are_worded_like_present_ones(examples: list[Example]) -> None:
    def wording(*kinds: str) -> set[str]:
        worded = set()
        for _, _, turn in turns_of(examples, *kinds):
            phrase = turn.answer[turn.marks[0].start : turn.marks[0].end]
            assert phrase in turn.question
            worded.add(turn.question.replace(phrase, "..."))
        return worded

    assert len(wording("locate") & wording("absent")) > 5


def test_presence_is_balanced_and_its_verdict_fits(examples: list[Example]) -> None:
    answers = [turn for _, _, turn in turns_of(examples, "presence")]
    for turn in answers:
        assert ("? yes, " in turn.answer) == bool(turn.marks[0].boxes)
        assert ("? no, " in turn.answer) == (not turn.marks[0].boxes)
    assert 0.3 < np.mean([bool(turn.marks[0].boxes) for turn in answers]) < 0.7


def test_what_is_said_of_a_thing_is_right_or_something_else(
    examples: list[Example], scenes: list[Scene]
) -> None:
    known = {scene.id: {head_noun(text) for text in phrases_of(scene)} for scene in scenes}
    verdicts = []
    for example, _, turn in turns_of(examples, "verify"):
        said, name = re.fullmatch(r"(yes|no), (.+)\.", turn.answer).groups()
        right = name in turn.question
        assert right == (said == "yes"), turn
        assert head_noun(name) in known[example.name]
        verdicts.append(right)
    assert len(verdicts) > 50 and 0.3 < np.mean(verdicts) < 0.7


def test_places_and_regions_are_in_the_frame_of_the_view(examples: list[Example]) -> None:
    for example, _, turn in turns_of(examples):
        for box in (box for mark in turn.marks for box in mark.boxes):
            assert box.frame == example.picture.frame
            assert min(box.as_tuple()) >= 0 and max(box.as_tuple()) <= 64
        for _, region in turn.regions:
            assert region.frame == example.picture.frame
            points = (
                region.points
                if isinstance(region, Outline)
                else ((region.x, region.y),)
                if isinstance(region, Point)
                else (region.bounds().as_tuple(),)
            )
            assert min(map(min, points)) >= 0 and max(map(max, points)) <= 64


def test_regions_are_named_in_the_question_and_words_fit_the_kind(examples: list[Example]) -> None:
    for _, dialogue, turn in turns_of(examples):
        assert re.findall(r"{(.+?)}", turn.question) == [name for name, _ in turn.regions]
        alone = dialogue.kind in ("locate_bare", "absent_bare", "qualified_bare")
        assert (turn.question == "") == alone
        assert dialogue.words_learnt != alone
        if dialogue.kind == "two_turns":
            assert len(dialogue.turns) in (2, 3)


def test_located_phrases_have_the_boxes_of_their_things(source: DialogueSource, scenes: list[Scene]) -> None:
    several = 0
    rng = np.random.default_rng(2)
    for index, scene in enumerate(scenes):
        for _, _, turn in turns_of([source.example(index, rng)], "locate_bare"):
            words, boxes = turn.answer, turn.marks[0].boxes
            kind = words.split()[-1].rstrip("s")
            assert len(boxes) == (2 if words.startswith("two") else 1)
            assert kind in {thing.category for thing in scene.things}
            several += len(boxes) == 2
    assert several > 0


def test_list_answers_name_different_things(examples: list[Example]) -> None:
    for _, _, turn in turns_of(examples, "list"):
        boxes = [box for mark in turn.marks for box in mark.boxes]
        assert len(set(boxes)) == len(boxes) and 1 <= len(turn.marks) <= 4


def test_the_same_rng_gives_the_same_example(source: DialogueSource) -> None:
    first, second = (source.example(3, np.random.default_rng(7)) for _ in range(2))
    assert first.dialogues == second.dialogues
    assert np.array_equal(first.picture.pixels, second.picture.pixels)
    assert source.example(3, np.random.default_rng(8)).dialogues != first.dialogues


def seen_scene(text: str, phrase: str, *, mirror: float, zoom: float = 1.0) -> VisibleScene:
    thing = Thing(1, Box(2, 2, 30, 30), "dog")
    start = text.index(phrase)
    caption = Caption(text, (Phrase(start, start + len(phrase), phrase, things=(1,)),))
    scene = Scene("7", PictureFile(Path("7.jpg")), 64, 64, (thing,), (caption,), ())
    view = view_of(scene, mirror=mirror, zoom=zoom)
    return VisibleScene(scene, view=view, words=caption_words(scene), phrasebook=Phrasebook([scene]))


def view_of(scene: Scene, *, mirror: float, zoom: float) -> View:
    how = Augmentation(zoom=(zoom, zoom), shift=0, mirror=mirror)
    boxes = np.array([thing.box.as_tuple() for thing in scene.things])
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    return draw_view(pixels, boxes, side=64, how=how, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("mirror", "phrases"), [(0.0, {"the left dog"}), (1.0, set())])
def test_mirrored_views_drop_phrases_and_captions_of_left_and_right(mirror: float, phrases: set[str]) -> None:
    seen = seen_scene("the left dog runs", "the left dog", mirror=mirror)
    assert set(seen.phrases) == phrases
    assert len(caption_dialogues(seen, "caption", 1, np.random.default_rng(0))) == len(phrases)
    for kind in ("locate", "locate_bare", "name", "describe", "list", "two_turns"):
        assert bool(write_dialogues(seen, kind, 2, np.random.default_rng(0))) == bool(phrases)


def test_mirrored_views_keep_other_phrases() -> None:
    assert set(seen_scene("a dog runs", "a dog", mirror=1).phrases) == {"a dog"}


def seen_pair(*phrases: tuple[str, tuple[int, ...]], mirror: float = 0.0) -> VisibleScene:
    """Return a view of two dogs of which captions say nothing but these phrases."""
    things = (Thing(1, Box(2, 2, 30, 30), "dog"), Thing(2, Box(34, 30, 60, 60), "dog"))
    captions = tuple(Caption(text, (Phrase(0, len(text), text, things=meant),)) for text, meant in phrases)
    scene = Scene("7", PictureFile(Path("7.jpg")), 64, 64, things, captions, ())
    view = view_of(scene, mirror=mirror, zoom=1.0)
    return VisibleScene(scene, view=view, words=caption_words(scene), phrasebook=Phrasebook([scene]))


@pytest.mark.parametrize(
    ("phrases", "mirror", "names"),
    [
        ([("two dogs", (1, 2))], 0.0, {1: ["two dogs"], 2: ["two dogs"]}),
        ([("two dogs", (1, 2)), ("a puppy", (2,))], 0.0, {1: ["two dogs"], 2: ["a puppy"]}),
        ([("two dogs", (1, 2)), ("pets", (1, 2))], 0.0, {1: ["two dogs", "pets"], 2: ["two dogs", "pets"]}),
        ([("two dogs", (1, 2)), ("the left dog", (1,))], 1.0, {1: ["two dogs"], 2: ["two dogs"]}),
        ([("dogs on the left", (1, 2))], 1.0, {}),
        ([("dogs on the left", (1, 2))], 0.0, {1: ["dogs on the left"], 2: ["dogs on the left"]}),
    ],
    ids=str,
)
def test_what_is_never_spoken_of_alone_has_the_name_of_all_of_them(
    phrases: list[tuple[str, tuple[int, ...]]], mirror: float, names: dict[int, list[str]]
) -> None:
    assert seen_pair(*phrases, mirror=mirror).names == names


def test_words_for_several_things_name_one_of_them_but_describe_none() -> None:
    seen, rng = seen_pair(("two dogs", (1, 2)), ("a big puppy", (2,))), np.random.default_rng(0)
    for kind in ("name", "name_bare"):
        answers = [dialogue.turns[0].answer for dialogue in write_dialogues(seen, kind, 9, rng)]
        assert sorted(answers) == ["a puppy.", "dogs."]
    (dialogue,) = write_dialogues(seen, "describe", 9, rng)
    ((_, region),) = dialogue.turns[0].regions
    assert min(region.bounds().as_tuple()) > 25, "it lies in the box of the puppy"
    assert dialogue.turns[0].answer == "a big puppy."
    assert write_dialogues(seen_pair(("two dogs", (1, 2))), "describe", 9, rng) == []
    assert write_dialogues(seen_pair(("two dogs", (1, 2))), "two_turns", 9, rng) == []


def test_descriptions_say_more_than_a_name_and_names_are_no_descriptions() -> None:
    seen, rng = (
        seen_pair(("a puppy", (1,)), ("a brown dog", (2,)), ("a dog", (2,))),
        np.random.default_rng(0),
    )
    answers = {dialogue.turns[0].answer for dialogue in write_dialogues(seen, "describe", 9, rng)}
    assert answers == {"a brown dog."}
    assert write_dialogues(seen_pair(("a puppy", (1,))), "describe", 9, rng) == []


def test_counts_are_mostly_of_kinds_that_there_are_several_of() -> None:
    rng = np.random.default_rng(0)
    kinds = [counted_kind({"dogs": (1, 2), "puppies": (1,)}, rng) for _ in range(400)]
    assert 0.65 < kinds.count("dogs") / len(kinds) < 0.85
    assert counted_kind({"puppies": (1,)}, rng) == "puppies"


def test_what_left_the_view_is_not_asked_about() -> None:
    seen = seen_scene("a dog runs", "a dog", mirror=0, zoom=4)
    assert seen.phrases == {} and seen.names == {}
    (dialogue,) = caption_dialogues(seen, "caption", 1, np.random.default_rng(0))
    assert dialogue.turns[0].marks == ()


def test_a_mix_counts_whole_dialogues_and_chances() -> None:
    rng = np.random.default_rng(0)
    mix = DialogueMix(locate=2.0, caption=0.25, list=0.0)
    assert {mix.draw("locate", rng) for _ in range(20)} == {2}
    assert {mix.draw("list", rng) for _ in range(20)} == {0}
    assert 0.15 < np.mean([mix.draw("caption", rng) for _ in range(400)]) < 0.35


def test_small_facts_of_wording() -> None:
    assert sided("the man on the left") and not sided("a leftover")
    assert [definite(text) for text in ("a dog", "his hat", "dogs")] == ["the dog", "his hat", "the dogs"]
    assert all(set(re.findall(r"{(.*?)}", text)) <= {"", "it", "a", "b", "kind"} for text in template_texts())


@pytest.mark.parametrize("marks", [(Mark(0, 0, ()),), (Mark(0, 9, ()),), (Mark(2, 4, ()), Mark(3, 5, ()))])
def test_a_turn_refuses_marks_that_overlap_or_leave_the_answer(marks: tuple[Mark, ...]) -> None:
    with pytest.raises(RecordError, match="must lie behind the last one"):
        Turn("what?", "a dog", marks)

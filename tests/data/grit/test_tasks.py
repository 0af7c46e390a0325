"""Tasks made of scenes, negatives that are surely absent, and their balance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.data.grit.negatives import ANYONE, NAMES, absent_category, confused_phrase, confusions
from deixis.data.grit.records import GritRecord, read_grit, write_grit
from deixis.data.grit.tasks import TASKS, make_record, make_records
from deixis.data.grit.templates import TEMPLATES
from deixis.data.scene import Expression, PictureFile, Scene
from deixis.data.sources.visual_genome import relation
from deixis.data.synthesis.phrasebook import caption_words, same_word
from deixis.errors import RecordError, UsageError
from tests.data.grit.made import scene


def full(folder: Path) -> Scene:
    """A scene that every task has something to ask about."""
    plain = scene(folder)
    dog, cup = plain.things[:2]
    return replace(
        plain,
        captions=(*plain.captions, relation(dog, "looking at", cup)),
        expressions=(Expression("the small cup", 2, unique=True, group=False, distractors=1),),
    )


def made(folder: Path, task: str, *, count: int = 80) -> list[GritRecord]:
    rng = np.random.default_rng(0)
    records = [make_record(full(folder), rng, task) for _ in range(count)]
    return [record for record in records if record is not None]


@pytest.mark.parametrize(
    ("task", "dataset", "answers"),
    [
        ("object", "vg_object", {"a dog.", "a cup.", "a crumb."}),
        ("relation", "vg_relation", {"dog looking at cup."}),
        ("region", "vg_region", {"the small cup."}),
        ("locate", "refexp", {"the small cup <bbox_location0>."}),
        (
            "locate_many",
            "flickr",
            {"a brown dog <bbox_location0>, two cups <bbox_location1> <bbox_location2>."},
        ),
        (
            "caption",
            "flickr",
            {"A brown dog <bbox_location0> beside two cups <bbox_location1> <bbox_location2>."},
        ),
        ("detect", "objects365", {"dog <bbox_location0>.", "cup <bbox_location0> <bbox_location1>."}),
        (
            "presence",
            "objects365",
            {
                "Yes, there is a dog <bbox_location0> in the image.",
                "Yes, there is a cup <bbox_location0> in the image.",
                "No, there is no cat in the image.",
            },
        ),
    ],
)
def test_tasks_ask_and_answer(tmp_path: Path, task: str, dataset: str, answers: set[str]) -> None:
    records = made(tmp_path, task)
    assert {record.turns[1].text for record in records} == answers
    assert {record.dataset for record in records} == {dataset}
    assert len({record.turns[0].text for record in records}) >= len(TEMPLATES[task])
    assert all(record.turns[0].text.startswith("<image>\n") for record in records)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_its_places_and_nothing_to_ask_where_there_is_nothing(
    tmp_path: Path, task: str
) -> None:
    for record in made(tmp_path, task, count=10):
        for turn in record.turns:
            assert sorted(turn.placeholders) == list(range(len(turn.places)))
    bare = replace(full(tmp_path), things=(), captions=(), expressions=(), exhaustive=frozenset())
    assert make_record(bare, np.random.default_rng(0), task) is None


def test_presence_is_balanced(tmp_path: Path) -> None:
    for task in ("presence", "confusion"):
        records = made(tmp_path, task, count=300)
        share = np.mean([record.turns[1].text.startswith("Yes,") for record in records])
        assert 0.4 < share < 0.6
    # Where absence is not certain, nothing is asked: a "yes" alone would teach to agree.
    unsure = replace(full(tmp_path), exhaustive=frozenset({"dog", "cup"}))
    rng = np.random.default_rng(0)
    assert all(make_record(unsure, rng, "presence") is None for _ in range(20))


def test_a_confused_phrase_is_denied_with_what_is_there(tmp_path: Path) -> None:
    denied = [r for r in made(tmp_path, "confusion") if r.turns[1].text.startswith("No")]
    answers = {record.turns[1].text for record in denied}
    assert answers == {
        "No, but there is a brown dog <bbox_location0> in the image.",
        "No, but there are two cups <bbox_location0> <bbox_location1> in the image.",
    }
    assert any("a red dog" in record.turns[0].text for record in denied)
    assert any("three cups" in record.turns[0].text for record in denied)
    assert not any("two cups" in r.turns[0].text or "brown dog" in r.turns[0].text for r in denied)


def test_negatives_are_in_no_word_of_the_picture(tmp_path: Path) -> None:
    whole = full(tmp_path)
    words = caption_words(whole)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        absent, confused = absent_category(whole, rng), confused_phrase(whole, rng)
        assert absent is not None and absent.text == "cat" and absent.near is None
        assert confused is not None and confused.near is not None
        (changed,) = set(confused.text.lower().split()) - {"a", "an"} - words
        assert not same_word(changed, words)


@pytest.mark.parametrize(
    ("phrase", "words", "expected"),
    [
        ("A man", "man", ["A woman"]),
        ("A man", "man women", []),  # a woman is there
        ("A man", "man crowd", []),  # and in a crowd there may be one
        ("an open door", "open door", ["a closed door"]),
        ("an orange", "orange", ["an apple", "a banana"]),  # the fruit, not the colour
        ("a left hand", "left hand", ["a right hand"]),
        ("the street in black", "street black", []),  # behind a preposition
        ("a dog house", "dog house", []),  # it speaks of a house
    ],
)
def test_confusions_change_one_word(phrase: str, words: str, expected: list[str]) -> None:
    assert confusions(phrase, frozenset(words.split())) == expected


def test_no_word_is_confused_with_itself() -> None:
    for group in NAMES:
        assert len(set(group)) == len(group) and ANYONE.isdisjoint(group)


def test_records_are_written_with_pictures_relative_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    records = list(make_records([full(tmp_path / "deep")], list(TASKS), images=tmp_path, seed=3, each=2))
    assert records == list(
        make_records([full(tmp_path / "deep")], list(TASKS), images=tmp_path, seed=3, each=2)
    )
    assert {record.picture for record in records} == {"deep/a.png"}
    write_grit(records, tmp_path / "mix.json")
    assert [r.turns for r in read_grit(tmp_path / "mix.json")] == [r.turns for r in records]


def test_pictures_that_no_record_can_name_are_refused(tmp_path: Path) -> None:
    whole = full(tmp_path)
    packed = replace(whole, picture=PictureFile(tmp_path / "x.tar", member="a.png", offset=0, size=5))
    for wrong, images in ((whole, tmp_path / "other"), (packed, tmp_path)):
        with pytest.raises(RecordError, match="is no file below"):
            list(make_records([wrong], ["object"], images=images))
    with pytest.raises(UsageError, match="there is no task 'naming'; expected one of object"):
        make_record(whole, np.random.default_rng(0), "naming")

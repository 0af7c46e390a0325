"""Each kind of lesson: what it chooses, what it shows, and that training can read what comes of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.grit.records import read_grit
from deixis.data.grit.source import GritSource
from deixis.data.painted.records import read_region_records
from deixis.data.painted.source import PaintedSource
from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.visual_genome import OBJECT, SUBJECT
from deixis.data.teacher.kinds import NAMES, find_kind
from deixis.data.teacher.kinds.negatives import fault_of
from deixis.data.teacher.lesson import Kind, Lesson, Made, Rejected, Stored
from deixis.data.teacher.seeing import LONGEST_SIDE, picture_tokens, see, shown
from deixis.data.teacher.teaching import plan
from deixis.errors import UsageError
from deixis.regions.shapes import Box
from tests.data.teacher.school import CUP, DOG, GOOD, dialogue, scenes

RED, BLUE = np.array([255, 0, 0]), np.array([0, 0, 255])

# Of grounded dialogues, which need three things, there are tests of their own.
KINDS = {name: find_kind(name) for name in NAMES if name != "grounded"}


def lesson_of(kind: Kind, scene: Scene, *, each: int = 1) -> Lesson:
    (lesson,) = plan(kind, [scene], each=each)
    return lesson


def made_of(kind: Kind, lesson: Lesson, reply: str) -> Made:
    seen = see(lesson.scene)
    return kind.read(lesson, json.loads(reply), Stored(lesson.scene.picture.path.name, seen.stored))


def file_of(folder: Path, made: Made) -> Path:
    path = folder / "samples.json"
    path.write_text(json.dumps(list(made.samples)))
    return path


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("name", ["region", "pair"])
def test_painted_samples_train_with_any_mark(tmp_path: Path, name: str, masks: bool) -> None:
    (scene,), kind = scenes(tmp_path, 1, masks=masks), find_kind(name)
    if name == "region":
        scene = replace(scene, captions=())  # so that it's about the dog, which an expression means
    made = made_of(kind, lesson_of(kind, scene), GOOD[name])
    (record,) = read_region_records(file_of(tmp_path, made), root=tmp_path)
    assert record.kind == {"region": "refcocog", "pair": "vg_rel"}[name]
    assert record.turns and (record.things[0].polygons != ()) is masks
    source, spoken = PaintedSource([record], root=tmp_path), set()
    for seed in range(24):
        example = source.example(0, np.random.default_rng(seed))
        (turn, *_), (picture,) = example.dialogues[0].turns, example.pictures
        assert "<" not in turn.question and "the dog " in turn.question.lower()
        spoken.update(word for word in ("rectangle", "ellipse", "arrow", "mask") if word in turn.question)
        assert (picture.pixels != see(scene).picture.pixels).any()
    assert len(spoken) > 1  # marks of several kinds


@pytest.mark.parametrize("name", ["conversation", "negatives"])
def test_grit_samples_are_read_and_train(tmp_path: Path, name: str) -> None:
    (scene,), kind = scenes(tmp_path, 1), find_kind(name)
    lesson = lesson_of(kind, scene)
    made = made_of(kind, lesson, GOOD[name])
    records = read_grit(file_of(tmp_path, made))
    source = GritSource(records, images=tmp_path)
    turns = [
        turn
        for index in range(len(source))
        for turn in source.example(index, np.random.default_rng(0)).dialogues[0].turns
    ]
    boxes = {thing.id: thing.box.as_tuple() for thing in scene.things}
    if name == "conversation":
        assert len(records) == 1 and records[0].dataset == "git_instruction"
        question, answer = records[0].turns[:2]
        assert question.text == "<image>\nWhat lies beside the thing <bbox_location0>?"
        assert question.places[0].box == boxes[lesson.things[1]]
        assert [place.box for place in answer.places] == [boxes[thing] for thing in lesson.things]
        assert len(turns) == 2 and turns[0].regions and turns[0].marks
    else:
        assert len(records) == 4 and {record.dataset for record in records} == {"flickr"}
        for no, yes, phrase in zip(records[::2], records[1::2], lesson.phrases, strict=True):
            assert no.turns[1].text == f"No, but there is {phrase.text} <bbox_location0> in the image."
            assert yes.turns[1].text == f"Yes, there is {phrase.text} <bbox_location0> in the image."
            assert phrase.text not in no.turns[0].text and phrase.text in yes.turns[0].text
            assert no.turns[1].places[0].box == boxes[phrase.things[0]]
        assert len({record.id for record in records}) == 4


def test_the_region_is_seen_in_red(tmp_path: Path) -> None:
    for masks in (False, True):
        (scene,), kind = scenes(tmp_path, 1, masks=masks), find_kind("region")
        lesson = replace(lesson_of(kind, scene), things=(1,))
        seen = see(scene)
        x, y = (45, 38) if masks else (20, 38)  # inside the mask, on the left edge of the box
        flat = np.full_like(seen.picture.pixels, 128)
        painted = kind.paint(flat, [seen.upright.thing(1).mask or seen.upright.thing(1).box])
        assert painted[y, x, 0] > 150 > 100 > painted[y, x, 1:].max()
        assert (painted[70, 100] == 128).all()
        original, marked = shown(lesson, seen, kind)
        assert original.encoded[:2] == marked.encoded[:2] == b"\xff\xd8" and original != marked


def test_the_pair_is_seen_in_red_and_blue() -> None:
    kind = find_kind("pair")
    flat = np.full((80, 120, 3), 128, dtype=np.uint8)
    painted = kind.paint(flat, [DOG, CUP]).astype(int)
    assert abs(painted[38, 20] - RED).max() < 90 and abs(painted[30, 80] - BLUE).max() < 90


def test_large_pictures_are_made_smaller_with_their_marks(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (3000, 1500), (128, 128, 128)).save(path)
    thing = Thing(1, Box(300, 300, 900, 900), "dog")
    scene = Scene("1", PictureFile(path), 3000, 1500, (thing,), (), ())
    kind = find_kind("region")
    pictures = shown(lesson_of(kind, scene), see(scene), kind)
    marked = np.asarray(Image.open(io.BytesIO(pictures[1].encoded))).astype(int)
    assert marked.shape == (LONGEST_SIDE // 2, LONGEST_SIDE, 3)
    ratio = LONGEST_SIDE / 3000
    assert abs(marked[round(600 * ratio), round(300 * ratio)] - RED).max() < 90
    assert picture_tokens(pictures[0]) == 85 + 170 * 2


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_boxes_go_back_to_the_stored_picture(tmp_path: Path, orientation: int) -> None:
    pixels = np.full((40, 64, 3), 120, dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "0.jpg", exif=exif)
    box = Box(6, 4, 26, 18)
    scene = Scene("0", PictureFile(tmp_path / "0.jpg"), 64, 40, (Thing(1, box, "dog"),), (), ())
    seen = see(scene)
    assert seen.stored.thing(1).box.as_tuple() == box.as_tuple()
    assert (seen.stored.width, seen.stored.height) == (64, 40)
    kind = find_kind("region")
    (sample,) = made_of(kind, lesson_of(kind, scene), GOOD["region"]).samples
    assert sample["bboxes"] == [list(box.as_tuple())]
    thing = seen.upright.thing(1).box
    cup = Thing(2, Box(30, 4, 50, 18), "cup")
    told = lesson_of(find_kind("conversation"), replace(scene, things=(*scene.things, cup))).given
    edges = " ".join(f"{edge:.0f}" for edge in thing.as_tuple())
    assert f'"dog"; {edges}' in told and f"is {seen.upright.width} pixels wide" in told
    upright = replace(seen.upright, upright=True)
    assert see(upright).stored.thing(1).box.as_tuple() == box.as_tuple()  # whoever turned it before


def related(scene: Scene) -> Scene:
    phrases = (Phrase(0, 3, "dog", (1,), (SUBJECT,)), Phrase(9, 12, "cup", (2,), (OBJECT,)))
    return replace(scene, captions=(*scene.captions, Caption("dog near cup", phrases)))


def test_relations_come_before_captions_and_captions_before_chance(tmp_path: Path) -> None:
    (scene,), kind = scenes(tmp_path, 1), find_kind("pair")
    assert '"dog near cup"' in lesson_of(kind, related(scene)).given
    assert '"a brown dog beside a cup"' in lesson_of(kind, scene).given
    bare = replace(scene, captions=(), expressions=())
    assert "People called the first" in lesson_of(kind, bare).given
    assert lesson_of(kind, scene).id == "vg_rel-gpt4v-0-1-2"
    for seed in range(6):  # nobody tells two knives apart by their names
        twin = Thing(3, Box(5, 5, 18, 70), "dog")
        (lesson,) = plan(kind, [replace(bare, things=(*bare.things, twin))], seed=seed)
        assert 2 in lesson.things


def test_what_people_wrote_about_comes_first(tmp_path: Path) -> None:
    kind = find_kind("region")
    for seed in range(8):
        (scene,) = scenes(tmp_path, 1)
        lone = replace(scene, captions=())
        (lesson,) = plan(kind, [lone], seed=seed)
        assert lesson.things == (1,) and '"the brown dog"' in lesson.given
    assert len(plan(kind, [lone], each=5)) == 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_scenes_without_anything_to_ask(tmp_path: Path, kind: Kind) -> None:
    (scene,) = scenes(tmp_path, 1)
    tiny = Thing(1, Box(0, 0, 3, 3), "dog")
    crowd = Thing(2, DOG, "dogs", group=True)
    unnamed = Thing(3, CUP, "object")
    for things in ((), (tiny,), (crowd,), (unnamed,)):
        assert plan(kind, [replace(scene, things=things, captions=(), expressions=())]) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_longer_plan_repeats_a_shorter_one(tmp_path: Path, kind: Kind) -> None:
    many = scenes(tmp_path, 3)
    whole = plan(kind, many, seed=3)
    assert len(whole) == 3 and whole == plan(kind, many, seed=3)
    assert plan(kind, many, seed=3, limit=2) == whole[:2]
    assert plan(kind, many[1:], seed=3) == whole[1:]
    assert len({lesson.id for lesson in whole}) == 3


@pytest.mark.parametrize(
    ("name", "reply", "reason"),
    [
        (
            "region",
            dialogue("What is the dog doing?", "It rests.", "Why?", "It is warm."),
            "first question has none",
        ),
        (
            "region",
            dialogue("The dog <within blue box>?", "Yes.", "b?", "c"),
            "none that it was given",
        ),
        (
            "pair",
            dialogue("The dog <within red box>?", "Yes.", "b?", "c"),
            "no question has <bbox1>",
        ),
        (
            "pair",
            dialogue("The dog <within red mask>?", "Yes.", "b?", "c"),
            "none that it was given",
        ),
        (
            "conversation",
            dialogue("The dog <thing 3>?", "A dog <thing 1>.", "b?", "c"),
            "none that it was given",
        ),
        (
            "conversation",
            dialogue("The dog <thing 0>?", "A dog <thing 1>.", "b?", "c"),
            "none that it was given",
        ),
        (
            "conversation",
            dialogue("The dog <thing 1>?", "A dog.", "b?", "c"),
            "no answer points",
        ),
        (
            "conversation",
            dialogue("Which dog?", "A dog <thing 1>.", "b?", "c"),
            "no question points",
        ),
        ("negatives", json.dumps([{"number": 1, "wrong": "a cat"}]), "expected each from 1 to 2 once"),
        ("negatives", json.dumps([{"number": 1, "wrong": "a cat"}] * 2), "expected each from 1 to 2 once"),
    ],
)
def test_replies_that_keep_no_rule(tmp_path: Path, name: str, reply: str, reason: str) -> None:
    (scene,), kind = scenes(tmp_path, 1), find_kind(name)
    with pytest.raises(Rejected, match=reason):
        made_of(kind, lesson_of(kind, scene), reply)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("a white cat", ""),
        ("two brown birds", ""),
        ("a brown dog", "says nothing new"),
        ("the brown dog", "says nothing new"),
        ("some cups", "'cups' is among the words"),
        ("a cat.", "no plain phrase"),
        ("a cat <b>", "no plain phrase"),
        ("a {cat}", "no plain phrase"),
        ("", "no plain phrase"),
        ("cat " * 11, "no plain phrase"),
    ],
)
def test_wrong_phrases(wrong: str, reason: str) -> None:
    fault = fault_of(wrong.strip(), "a brown dog", frozenset(["a", "brown", "dog", "beside", "a", "cup"]))
    assert reason in fault and bool(reason) is bool(fault)


def test_half_of_the_phrases_will_do(tmp_path: Path) -> None:
    (scene,), kind = scenes(tmp_path, 1), find_kind("negatives")
    reply = json.dumps([{"number": 1, "wrong": "a cup"}, {"number": 2, "wrong": "a sleeping cat"}])
    made = made_of(kind, lesson_of(kind, scene), reply)
    assert len(made.samples) == 2 and made.faults[0].startswith("phrase 1: ")


def test_an_unknown_kind() -> None:
    with pytest.raises(UsageError, match="the kinds are region, pair, conversation, negatives, grounded"):
        find_kind("poems")


def test_instructions_ask_for_what_is_checked() -> None:
    for kind in KINDS.values():
        assert "JSON list" in kind.instruction and len(kind.instruction) < 4000
    shown_texts: dict[str, Any] = {name: kind.instruction for name, kind in KINDS.items()}
    assert "<within red mask>" in shown_texts["region"] and "<thing N>" in shown_texts["conversation"]
    assert "<within red box>" in shown_texts["pair"] and "<within blue box>" in shown_texts["pair"]

"""Grounded dialogues: which regions are chosen, what is shown, what a reply becomes or is rejected for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.data.groma.records import PassedOver, read_instruct
from deixis.data.scene import Scene, Thing
from deixis.data.teacher.asking import asker_of
from deixis.data.teacher.kinds import find_kind
from deixis.data.teacher.kinds.grounded import MOST_THINGS
from deixis.data.teacher.lesson import Lesson, Made, Rejected, Stored
from deixis.data.teacher.marks import numbered_centres
from deixis.data.teacher.picture_files import PictureFiles
from deixis.data.teacher.results import Origin, Results
from deixis.data.teacher.seeing import see, shown
from deixis.data.teacher.spending import Spending
from deixis.data.teacher.teaching import Teaching, plan, teach
from deixis.endpoints.endpoint import Endpoint
from deixis.endpoints.kept_replies import ReplyFolder
from deixis.regions.overlap import iou
from deixis.regions.shapes import Box
from tests.data.teacher.school import GOOD, dialogue, said, scenes, school

KIND = find_kind("grounded")


def lesson_of(scene: Scene, seed: int = 0) -> Lesson:
    (lesson,) = plan(KIND, [scene], seed=seed)
    return lesson


def made_of(lesson: Lesson, reply: str) -> Made:
    seen = see(lesson.scene)
    return KIND.read(lesson, json.loads(reply), Stored(lesson.scene.picture.path.name, seen.stored))


def test_a_sample_is_one_of_groma_instruct(tmp_path: Path) -> None:
    (scene,) = scenes(tmp_path, 1, plates=True)
    lesson = lesson_of(scene)
    (sample,) = made_of(lesson, GOOD["grounded"]).samples
    assert sample["file_name"] == "0.png" and (sample["width"], sample["height"]) == (120, 80)
    answer = sample["conversation"][1]
    assert answer["value"] == (
        "<p>A brown dog</p><roi><ground_box></roi> lies beside "
        "<p>two more things</p><roi><ground_box><ground_box></roi>."
    )
    assert answer["box_inds"] == [0, 1, 2] and sample["conversation"][3]["box_inds"] == []
    path = tmp_path / "a.json"
    path.write_text(json.dumps([sample]))
    (record,) = read_instruct(path, PassedOver())
    boxes = [scene.thing(number).box.as_tuple() for number in lesson.things]
    assert [note.edges for note in record.notes] == boxes
    assert [one.boxes for one in record.said] == [(0, 1, 2), ()]


def crowded(scene: Scene, count: int) -> Scene:
    boxes = [Box(9 * n, 5, 9 * n + 8.5, 35) for n in range(count)]
    return replace(scene, things=tuple(Thing(n, box, f"thing{n}") for n, box in enumerate(boxes, 1)))


def test_three_to_ten_regions_that_hardly_overlap(tmp_path: Path) -> None:
    (scene,) = scenes(tmp_path, 1)
    assert plan(KIND, [scene]) == []  # two are too few
    assert len(lesson_of(crowded(scene, 12)).things) == MOST_THINGS
    over = Thing(9, Box(21, 16, 71, 61), "wolf")
    (full,) = scenes(tmp_path, 1, plates=True)
    both = replace(full, things=(*full.things, over))
    for seed in range(8):
        lesson = lesson_of(both, seed)
        boxes = [both.thing(number).box.as_tuple() for number in lesson.things]
        assert len(boxes) == 3
        assert all(iou(a, b) <= 0.3 for n, a in enumerate(boxes) for b in boxes[:n])
    assert plan(KIND, [replace(scene, things=(*scene.things, over))]) == []


def test_what_the_teacher_is_told(tmp_path: Path) -> None:
    (scene,) = scenes(tmp_path, 1, plates=True)
    told = lesson_of(replace(scene, exchanges=(("What is it?", "A dog."),))).given
    assert "- a brown dog beside a cup" in told and "- What is it? A dog." in told
    assert '"the brown dog"' in told and "20 15 70 60" in told


def test_numbers_stand_in_the_middle(tmp_path: Path) -> None:
    flat = np.full((80, 120, 3), 128, dtype=np.uint8)
    boxes = [Box(20, 15, 70, 60), Box(80, 10, 110, 50)]
    painted = numbered_centres(flat, boxes)
    for box in boxes:
        middle = painted[int((box.y0 + box.y1) / 2) - 8, int((box.x0 + box.x1) / 2)]
        assert (middle != 128).any()
        assert (painted[int(box.y0) + 1, int(box.x0) + 1] == 128).all()
    same = numbered_centres(flat, [Box(40, 30, 60, 50)] * 3)  # three circles, not one
    assert (same != 128).any(axis=2).sum() > 2 * (numbered_centres(flat, boxes[:1]) != 128).any(axis=2).sum()
    (scene,) = scenes(tmp_path, 1, plates=True)
    lesson = lesson_of(scene)
    original, marked = shown(lesson, see(scene), KIND)
    assert original != marked


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("A dog rests.", "no answer shows"),
        ("<p>A dog</p> [4] rests.", r"\[4\] is none"),
        ("<p>A dog</p> [0] rests.", r"\[0\] is none"),
        ("<p>A dog</p> [1] [1] rests.", "stands twice"),
        ("<p>A dog</p> [one] rests.", "holds no numbers"),
        ("<p>A dog</p> rests.", "a mark that is no"),
        ("A dog [1] rests.", "a mark that is no"),
        ("<p>A dog [1] rests.", "a mark that is no"),
        ("<p>A dog</p><roi><r1></roi> [1] rests.", "a mark that is no"),
        ("<p> </p> [1] rests.", "is empty"),
        (f"<p>{'very ' * 12}big dog</p> [1] rests.", "more than 12 words"),
        ("<p>A {dog}</p> [1] rests.", "braces"),
        ("<p>The dog</p> [1] in the red box rests.", "forbidden"),
        ("I'm sorry, I can't help with that.", "refusal"),
    ],
)
def test_replies_that_keep_no_rule(tmp_path: Path, answer: str, reason: str) -> None:
    (scene,) = scenes(tmp_path, 1, plates=True)
    with pytest.raises(Rejected, match=reason):
        made_of(lesson_of(scene), dialogue("What is there?", answer, "Is it warm?", "It may be."))


def test_questions_are_plain_words(tmp_path: Path) -> None:
    (scene,) = scenes(tmp_path, 1, plates=True)
    reply = dialogue("What is <p>it</p> [1]?", "<p>A dog</p> [1].", "Why?", "It is warm.")
    with pytest.raises(Rejected, match="a question has a mark"):
        made_of(lesson_of(scene), reply)


def test_scenes_without_anything_to_ask_and_longer_plans(tmp_path: Path) -> None:
    many = scenes(tmp_path, 3, plates=True)
    assert plan(KIND, [replace(many[0], things=())]) == [] == plan(KIND, many, each=0)
    assert plan(KIND, many, limit=2) == plan(KIND, many)[:2]
    assert "JSON list" in KIND.instruction and "<p>" in KIND.instruction and len(KIND.instruction) < 4000


def test_a_teacher_that_misbehaves_leaves_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    unknown = dialogue("What is there?", "<p>A dog</p> [7].", "Why?", "It is warm.")
    good = said(GOOD["grounded"])
    replies = iter([good, said(unknown), said(GOOD["grounded"], finish="length"), said("I'm sorry.")])
    many, origin = (
        scenes(tmp_path / "pictures", 4, plates=True),
        Origin("d", "train", "coco", "m", "http://x/v1"),
    )
    with school(lambda request: next(replies)) as running:
        endpoint = Endpoint(running.address, key="k", timeout=5.0, attempts=1)
        kept = ReplyFolder(tmp_path / "replies", endpoint.address)
        asker = asker_of(endpoint, kept=kept, spending=Spending())
        results = Results(KIND, tmp_path / "out.json", origin)
        teaching = Teaching(KIND, "m", PictureFiles(tmp_path / "pictures"))
        for result in teach(teaching, plan(KIND, many), asker, workers=1):
            results.add(result)
    results.write(many, spending=asker.spending, images=tmp_path / "pictures")
    (record,) = read_instruct(tmp_path / "out.json", PassedOver())
    assert record.picture == "0.png"
    rejects: list[dict[str, Any]] = [
        json.loads(line) for line in (tmp_path / "out.rejects.jsonl").read_text().splitlines()
    ]
    assert [one["reasons"][0].split(":")[0] for one in rejects] == ["placeholder", "cut off", "refusal"]
    card = json.loads((tmp_path / "out.card.json").read_text())
    assert card["read_by"] == "deixis.data.groma.records" and card["lessons"]["made"] == 1

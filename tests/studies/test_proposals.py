"""The study of proposals: what counts as found, how things are grouped, and that all systems get the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.answers.grounded import Place
from deixis.data.scene import PictureFile, Scene, Thing
from deixis.errors import UsageError
from deixis.regions.shapes import Box
from deixis.studies.proposals import GROUPS, group_of, run_proposals, with_things


@dataclass
class Fixed:
    """Proposes boxes that were given to it, whatever the picture."""

    boxes: tuple[tuple[Box, float], ...]
    name: str = "fixed"

    def propose(self, picture: Any, *, most: int) -> list[Place]:
        return [Place(box.bind(picture.frame), score) for box, score in self.boxes][:most]

    def fingerprint(self) -> str:
        return "abc"


def thing(number: int, box: Box, sort: str, *, group: bool = False) -> Thing:
    return Thing(number, box, sort, group=group, supercategory=sort)


@pytest.fixture
def scenes(tmp_path: Path) -> list[Scene]:
    """Two pictures of 100 x 100: a dog and its collar; a dog, a ball and grass, and a crowd drawn as one."""
    own = []
    for number, things in enumerate(
        (
            (thing(1, Box(0, 0, 40, 40), "animals"), thing(2, Box(50, 50, 60, 60), "clothing")),
            (
                thing(1, Box(0, 0, 40, 40), "animals"),
                thing(2, Box(80, 80, 90, 90), "other"),
                thing(3, Box(0, 60, 100, 100), "scene"),
                thing(4, Box(0, 0, 100, 100), "people", group=True),
            ),
        )
    ):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (100, 100)).save(path)
        own.append(Scene(str(number), PictureFile(path), 100, 100, things, (), ()))
    return own


def test_what_is_found_is_counted_by_group(scenes: list[Scene]) -> None:
    found = Fixed(((Box(0, 0, 40, 40), 0.9), (Box(0, 64, 100, 100), 0.5), (Box(0, 0, 40, 38), 0.4)))
    missed = Fixed(((Box(0, 0, 3, 3), 0.9),))
    study = run_proposals({"one": found, "other": missed}, scenes, most=100, data="made up")
    one, other = study.rows
    assert {name: rate.n for name, rate in one.recalls.items()} == {
        "all": 5,
        "people and animals": 2,
        "objects": 1,
        "clothing and parts": 1,
        "scene phrases": 1,
    }
    assert one.halves["people and animals"].value == one.recalls["people and animals"].value == 1.0
    assert one.halves["scene phrases"].value == 1.0  # IoU 0.9: found at nine of ten overlaps
    assert one.recalls["scene phrases"].value == pytest.approx(0.9)
    assert one.halves["objects"].value == one.halves["clothing and parts"].value == 0.0
    assert one.halves["all"].value == pytest.approx(3 / 5)
    assert one.recalls["all"].value == pytest.approx(2.9 / 5)
    assert (one.boxes, other.boxes) == (3, 1)
    assert {rate.value for rate in other.halves.values()} == {0.0}
    for rate in (*one.recalls.values(), *other.recalls.values()):
        assert rate.ci95[0] <= rate.value <= rate.ci95[1] and rate.ci95[0] < rate.ci95[1]


def test_a_true_box_is_found_once(scenes: list[Scene]) -> None:
    twice = Fixed(((Box(0, 0, 40, 40), 0.9), (Box(0, 0, 40, 39), 0.8)))
    (row,) = run_proposals({"twice": twice}, scenes[:1], most=100, data="d").rows
    assert row.halves["all"].value == 0.5


def test_boxes_count_in_the_order_of_their_scores_and_no_more_than_asked(scenes: list[Scene]) -> None:
    late = Fixed(((Box(80, 0, 90, 9), 0.1), (Box(0, 0, 40, 40), 0.9)))
    row, short = (run_proposals({"late": late}, scenes, most=most, data="d").rows[0] for most in (100, 1))
    assert row.halves["people and animals"].value == 1.0 and short.halves["people and animals"].value == 0.0
    assert short.boxes == 1


def test_a_study_as_json_and_as_tables(scenes: list[Scene]) -> None:
    study = run_proposals({"m": Fixed(())}, scenes, most=7, data="d val", set_aside=["boxes: 1, cut (x)"])
    content = json.loads(study.to_json())
    assert content["pictures"] == 2 and content["most"] == 7
    (row,) = content["rows"]
    assert row["AR@7"]["all"]["value"] == 0 and row["recall@0.5"]["objects"]["n"] == 1
    assert row["weights"] == "abc" and row["boxes_a_picture"] == 0
    table = study.to_markdown()
    assert "| AR@7 |" in table and "scene phrases (n = 1)" in table and "- boxes: 1, cut (x)" in table


def test_sorts_and_pictures_without_boxes(scenes: list[Scene]) -> None:
    sorts = {sort: group for group, own in GROUPS.items() for sort in own}
    assert len(sorts) == sum(map(len, GROUPS.values()))
    assert group_of(thing(1, Box(0, 0, 1, 1), "vehicles")) == "objects"
    assert group_of(Thing(1, Box(0, 0, 1, 1), "person")) == "people and animals"
    bare = Scene("9", scenes[0].picture, 100, 100, (scenes[1].things[3],), (), ())
    assert with_things([bare, *scenes]) == scenes
    with pytest.raises(UsageError, match="none of 1 pictures has a box round a single thing"):
        with_things([bare])


def test_intervals_are_over_pictures(scenes: list[Scene]) -> None:
    """Many boxes of one picture are no surer than one."""
    crowded = Scene(
        "2",
        scenes[0].picture,
        100,
        100,
        tuple(thing(number, Box(number, 0, number + 9, 9), "other") for number in range(0, 90, 10)),
        (),
        (),
    )
    (row,) = run_proposals({"m": Fixed(())}, [crowded], most=100, data="d").rows
    low, high = row.halves["objects"].ci95
    assert low == 0 and high == pytest.approx(0.793, abs=0.01)
    assert np.isfinite(high)

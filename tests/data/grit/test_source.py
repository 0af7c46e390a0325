"""Training examples of records and scenes, and how often each comes up."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from deixis.data.grit.mixing import FERRET_MIX, MultipliedSource, multiplied
from deixis.data.grit.records import GritRecord, dataset_of
from deixis.data.grit.source import GritSource, TaskSource, find_picture
from deixis.data.sources import read_scenes
from deixis.errors import RecipeError, RecordError, UsageError
from deixis.records.dialogue import Example
from deixis.regions.shapes import Box, Point
from tests.data.grit.made import record, scene
from tests.toy.pack import write_toy_pack

DOG = [12, 7, 28, 23]


def asked(**fields: object) -> GritRecord:
    return record("<image>\nWhat is <bbox_location0>?", "a dog", box_x1y1x2y2=[[DOG], []], **fields)


def test_points_and_boxes_are_drawn_anew_each_time(tmp_path: Path) -> None:
    scene(tmp_path)
    source = GritSource([asked()], images=tmp_path)
    kinds: Counter[type] = Counter()
    for seed in range(60):
        example = source.example(0, np.random.default_rng(seed))
        ((_, region),) = example.dialogues[0].turns[0].regions
        assert region.frame == example.picture.frame
        kinds[type(region)] += 1
    assert set(kinds) == {Point, Box} and min(kinds.values()) > 15
    again = [source.example(0, np.random.default_rng(4)).dialogues for _ in range(2)]
    assert again[0] == again[1]


def test_pictures_can_be_letterboxed(tmp_path: Path) -> None:
    scene(tmp_path)
    example = GritSource([asked()], images=tmp_path, side=30).example(0, np.random.default_rng(0))
    ((_, region),) = example.dialogues[0].turns[0].regions
    assert example.picture.width == 30 and region.frame == example.picture.frame


def test_a_dialogue_without_a_picture_gets_a_black_one(tmp_path: Path) -> None:
    plain = record("Hello.", "Hi.", image=None, image_w=None, image_h=None)
    example = GritSource([plain], images=tmp_path).example(0, np.random.default_rng(0))
    assert not example.picture.pixels.any()


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ("a.png", "a.png"),
        ("a.jpg", "a"),
        ("sub/a.jpeg", "sub/a"),
        ("caf\u00e3.png", "caf#U00e3"),
        ("a#U00e3.png", "a#U00e3"),
    ],
)
def test_pictures_are_found_by_less_than_their_name(tmp_path: Path, stored: str, named: str) -> None:
    (tmp_path / stored).parent.mkdir(exist_ok=True)
    (tmp_path / stored).touch()
    assert find_picture(named, tmp_path, where="x") == tmp_path / stored


@pytest.mark.parametrize(
    ("named", "message"), [("b", "there is no picture 'b'"), ("../b.png", "leads out of")]
)
def test_pictures_that_are_not_there(tmp_path: Path, named: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        GritSource([asked(image=named)], images=tmp_path).example(0, np.random.default_rng(0))


def test_a_broken_picture_is_reported_with_its_record(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(RecordError, match=r"a\.json\[0\]: "):
        GritSource([asked()], images=tmp_path).example(0, np.random.default_rng(0))


def test_no_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="there are no records"):
        GritSource([], images=tmp_path)


def test_tasks_are_drawn_by_their_shares(tmp_path: Path) -> None:
    source = TaskSource(
        [scene(tmp_path)], tasks={"object": 3.0, "caption": 1.0, "relation": 9.0}, dialogues=4
    )
    kinds: Counter[str] = Counter()
    for seed in range(60):
        example = source.example(0, np.random.default_rng(seed))
        assert len(example.dialogues) == 4
        kinds.update(dialogue.kind for dialogue in example.dialogues)
    assert set(kinds) == {"vg_object", "flickr"}  # nothing is related in this scene
    assert 2 < kinds["vg_object"] / kinds["flickr"] < 4.5


@pytest.mark.parametrize("tasks", [{"naming": 1.0}, {"object": 0.0}, {"object": math.nan}])
def test_unknown_tasks_and_shares_are_refused(tmp_path: Path, tasks: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="expected a number above 0 for any of object"):
        TaskSource([scene(tmp_path)], tasks=tasks)
    with pytest.raises(RecordError, match="no scene has anything for the tasks relation"):
        TaskSource([scene(tmp_path)], tasks={"relation": 1.0})


def test_packs_with_shards_work_too(tmp_path: Path) -> None:
    scenes = read_scenes(write_toy_pack(tmp_path, pictures=4, shards=True), "train")
    source = TaskSource(scenes, dialogues=3)
    assert len(source) == 4
    for index in range(4):
        example = source.example(index, np.random.default_rng(index))
        for turn in (turn for dialogue in example.dialogues for turn in dialogue.turns):
            assert "<" not in turn.question + turn.answer
            assert all(box.frame == example.picture.frame for mark in turn.marks for box in mark.boxes)


@pytest.mark.parametrize(
    ("count", "factor", "length"),
    [(10, 3, 30), (10, 0.2, 2), (11, 0.2, 3), (10, 2.5, 25), (5, 1, 5), (0, 0.5, 0)],
)
def test_multipliers_repeat_and_draw(count: int, factor: float, length: int) -> None:
    indices = multiplied(count, factor, np.random.default_rng(0))
    assert len(indices) == length
    assert all(Counter(indices)[index] >= int(factor) for index in range(count))


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_multipliers_that_say_nothing_are_refused(factor: float) -> None:
    with pytest.raises(RecipeError, match="expected a number above 0"):
        multiplied(3, factor, np.random.default_rng(0))


def test_a_multiplied_source_is_the_same_for_a_seed() -> None:
    class Numbers:
        def __len__(self) -> int:
            return 10

        def example(self, index: int, rng: np.random.Generator) -> Example:
            raise IndexError(index)

    first, second, other = (MultipliedSource(Numbers(), 1.5, seed=seed) for seed in (1, 1, 2))
    assert len(first) == 15 and first.indices == second.indices != other.indices
    with pytest.raises(IndexError, match="9"):
        first.example(9, np.random.default_rng(0))


def test_the_published_mix_names_known_kinds() -> None:
    assert all(dataset_of(name) is not None for name in FERRET_MIX)

"""Scenes as labelled boxes: which are kept, where they are in a view, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.data.augment import Augmentation
from deixis.data.detection import DetectionExample, DetectionSource, labelled
from deixis.data.scene import Scene
from deixis.data.sources import read_scenes
from deixis.errors import RecordError
from tests.toy.pack import write_toy_pack

STILL = Augmentation(zoom=(1, 1), shift=0, mirror=0, contrast=0, colour=0, grey=0, square=False)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_scenes(write_toy_pack(tmp_path_factory.mktemp("pack"), pictures=6), "train")


def first(scenes: list[Scene], how: Augmentation = STILL, *, side: int = 80) -> DetectionExample:
    return DetectionSource(scenes, augmentation=how, side=side).example(0, np.random.default_rng(0))


def test_boxes_and_labels_are_the_things(scenes: list[Scene]) -> None:
    scene, found = scenes[0], first(scenes)
    scale = 80 / max(scene.width, scene.height)
    assert found.name == scene.id and found.labels == tuple(thing.category for thing in scene.things)
    for box, thing in zip(found.boxes, scene.things, strict=True):
        assert box.as_tuple() == pytest.approx([edge * scale for edge in thing.box.as_tuple()])
        assert box.frame == found.picture.frame


def test_what_a_view_cuts_off_is_gone_with_its_label(scenes: list[Scene]) -> None:
    how = replace(STILL, zoom=(3, 3), shift=0.9)
    source = DetectionSource(scenes, augmentation=how, side=80)
    seen = [source.example(index, np.random.default_rng(index)) for index in range(6)]
    assert any(len(one.boxes) < len(scene.things) for one, scene in zip(seen, scenes, strict=True))
    for one in seen:
        assert len(one.boxes) == len(one.labels)
        width, height = one.picture.frame.size
        assert all(0 <= b.x0 < b.x1 <= width and 0 <= b.y0 < b.y1 <= height for b in one.boxes)
    again = source.example(2, np.random.default_rng(2))
    assert again.boxes == seen[2].boxes and np.array_equal(again.picture.pixels, seen[2].picture.pixels)


def test_boxes_round_several_things_are_left_out(scenes: list[Scene]) -> None:
    scene = scenes[0]
    crowd = replace(scene, things=(replace(scene.things[0], group=True), *scene.things[1:]))
    assert first([crowd]).labels == tuple(thing.category for thing in scene.things[1:])
    only = replace(scene, things=(replace(scene.things[0], group=True),))
    assert labelled([only, crowd, replace(scene, things=())]) == (crowd,)
    source = DetectionSource([crowd, scene], augmentation=STILL, side=80)
    assert source.lengths() == [len(scene.things), len(scene.things) + 1]


def test_what_does_not_fit_together_is_refused(scenes: list[Scene], tmp_path: Path) -> None:
    found = first(scenes)
    with pytest.raises(RecordError, match="boxes and 0 labels; expected one each"):
        replace(found, labels=())
    with pytest.raises(RecordError, match="is in another frame than the picture"):
        replace(found, boxes=tuple(box for box in first(scenes, side=60).boxes))
    with pytest.raises(RecordError, match="no scenes to find things in"):
        DetectionSource([], augmentation=STILL, side=80)

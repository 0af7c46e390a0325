"""Boxes of datasets reach the upright picture, whichever way the camera was held."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deixis.data.augment import Augmentation
from deixis.data.detection import DetectionSource
from deixis.data.grit.locations import PointRule
from deixis.data.grit.records import read_grit
from deixis.data.grit.source import DenseSource, GritSource, TaskSource
from deixis.data.opening import open_scene, orientation_of, upright_scenes
from deixis.data.sources import read_scenes
from deixis.data.sources.coco import read_coco
from deixis.data.synthesis.dialogue_mix import DialogueMix
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.data.synthesis.views import DialogueSource
from deixis.errors import RecordError
from deixis.regions.shapes import Mask, Point
from tests.data.turned import RED, instances, red_share, write_pack, write_turned

STILL = Augmentation(
    zoom=(1, 1), shift=0, mirror=0, contrast=0, colour=0, grey=0, keep=0.4, square=False
)  # the picture as it is
ALL = range(1, 9)


@pytest.mark.parametrize("size", [(64, 40), (64, 64)])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", ALL)
def test_boxes_are_carried(tmp_path: Path, orientation: int, name: str, size: tuple[int, int]) -> None:
    (scene,) = read_scenes(write_pack(tmp_path, orientation, name=name, size=size), "train")
    picture, upright = open_scene(scene)
    (thing,) = upright.things
    assert red_share(picture.pixels, thing.box.as_tuple()) == 1 and thing.box.area == 20 * 14
    assert (upright.width, upright.height) == (picture.width, picture.height)
    assert upright_scenes([scene]) == [upright] and open_scene(upright)[1] is upright
    assert (upright is scene) == (orientation == 1)
    assert (upright.captions, upright.expressions) == (scene.captions, scene.expressions)


def test_an_entry_that_states_the_upright_size_has_upright_boxes(tmp_path: Path) -> None:
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [22, 6, 14, 20]}
    images = [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 64}]
    (scene,) = read_scenes(write_pack(tmp_path, 6, images=images, annotations=[row]), "train")
    picture, upright = open_scene(scene)
    assert upright is scene and red_share(picture.pixels, scene.things[0].box.as_tuple()) == 1


@pytest.mark.parametrize("orientation", ALL)
def test_masks_are_carried(tmp_path: Path, orientation: int) -> None:
    pixels = np.zeros((40, 64), dtype=bool)
    pixels[4:18, 6:26] = True
    row = instances()["annotations"][0] | {"segmentation": Mask.from_array(pixels).to_coco(), "iscrowd": 0}
    write_turned(tmp_path / "images" / "a.jpg", orientation)
    (tmp_path / "train_instances.json").write_text(json.dumps(instances(annotations=[row])))
    picture, upright = open_scene(read_coco(tmp_path, "train", masks=True)[0])
    mask = upright.things[0].mask
    assert mask is not None and mask.bounds().as_tuple() == upright.things[0].box.as_tuple()
    assert (picture.pixels[mask.rasterise()][:, 0] > 150).all()


@pytest.mark.parametrize("orientation", ALL)
def test_every_training_source_carries_them(tmp_path: Path, orientation: int) -> None:
    scenes = read_scenes(write_pack(tmp_path, orientation), "train")
    rng = np.random.default_rng(0)
    found = DetectionSource(scenes, augmentation=STILL, side=64).example(0, rng)
    assert [red_share(found.picture.pixels, box.as_tuple()) for box in found.boxes] == [1]
    drawn = (
        DialogueSource(scenes, phrasebook=Phrasebook(scenes), mix=DialogueMix(), augmentation=STILL, side=64),
        DenseSource(scenes),
        TaskSource(scenes, dialogues=4),
    )
    for source in drawn:
        example = source.example(0, rng)
        turns = [turn for dialogue in example.dialogues for turn in dialogue.turns]
        boxes = [box for turn in turns for mark in turn.marks for box in mark.boxes]
        assert boxes, type(source).__name__
        # Places are written in thousandths or so: an edge may be off by a part of a pixel.
        assert all(red_share(example.pictures[0].pixels, box.as_tuple()) > 0.9 for box in boxes)


@pytest.mark.parametrize("size", [(64, 40), (64, 64)])
@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("orientation", ALL)
def test_grit_records_are_carried(
    tmp_path: Path, orientation: int, masks: bool, size: tuple[int, int]
) -> None:
    write_turned(tmp_path / "a.jpg", orientation, size=size)
    pixels = np.zeros(size[::-1], dtype=bool)
    pixels[4:18, 6:26] = True
    record = {
        "id": 1,
        "image": "a.jpg",
        "image_w": size[0],
        "image_h": size[1],
        "conversations": [
            {"from": "human", "value": "<image>\nWhat is <bbox_location0>?"},
            {"from": "gpt", "value": "a thing <bbox_location0>"},
        ],
        # The last column and row of a box are part of it.
        "box_x1y1x2y2": [[[RED[0], RED[1], RED[2] - 1, RED[3] - 1]]] * 2,
    }
    if masks:
        record["masks"] = [[Mask.from_array(pixels).to_coco()]] * 2
    (tmp_path / "records.json").write_text(json.dumps([record]))
    source = GritSource(
        read_grit(tmp_path / "records.json"), images=tmp_path, rule=PointRule("center", masks)
    )
    for seed in range(4):
        example = source.example(0, np.random.default_rng(seed))
        seen = example.pictures[0].pixels
        (turn,) = example.dialogues[0].turns
        (mark,) = turn.marks
        assert red_share(seen, mark.boxes[0].as_tuple()) == 1
        for _, region in turn.regions:
            middle = region.bounds()
            column, row = int((middle.x0 + middle.x1) / 2), int((middle.y0 + middle.y1) / 2)
            assert red_share(seen, (column, row, column + 1, row + 1)) == 1
            assert isinstance(region, Point) or red_share(seen, middle.as_tuple()) == 1


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_of_another_size_is_refused_by_every_source(tmp_path: Path, orientation: int) -> None:
    scenes = read_scenes(write_pack(tmp_path, orientation), "train")
    write_turned(tmp_path / "images" / "a.jpg", orientation, size=(32, 20))
    wrong = r"picture a\.jpg has 32 x 20 pixels, its entry says 64 x 40"
    with pytest.raises(RecordError, match=wrong):
        open_scene(scenes[0])
    for source in (
        DetectionSource(scenes, augmentation=STILL, side=64),
        DialogueSource(scenes, phrasebook=Phrasebook(scenes), mix=DialogueMix(), augmentation=STILL, side=64),
        DenseSource(scenes),
        TaskSource(scenes),
    ):
        with pytest.raises(RecordError, match=wrong):
            source.example(0, np.random.default_rng(0))
    assert upright_scenes(scenes) == scenes  # asking about it says the same


def test_a_grit_record_names_its_picture_and_both_sizes(tmp_path: Path) -> None:
    write_turned(tmp_path / "a.jpg", 1, size=(32, 20))
    turns = [{"from": "human", "value": "What is <bbox_location0>?"}, {"from": "gpt", "value": "a thing"}]
    record = {"image": "a.jpg", "image_w": 64, "image_h": 40, "conversations": turns}
    (tmp_path / "records.json").write_text(json.dumps([record | {"box_x1y1x2y2": [[list(RED)], []]}]))
    source = GritSource(read_grit(tmp_path / "records.json"), images=tmp_path)
    with pytest.raises(RecordError, match=r"are \(64, 40\), but the picture .* \(32, 20\); is 'a\.jpg' "):
        source.example(0, np.random.default_rng(0))


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0cut"])
def test_what_cannot_be_read_is_not_turned(content: bytes) -> None:
    assert orientation_of(content) == 1

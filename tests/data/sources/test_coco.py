"""The COCO reader: both layouts, exhaustive categories, masks, mistakes; and the real samples if there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.sources import read_scenes
from deixis.data.sources.coco import read_coco
from deixis.errors import RecordError
from deixis.regions.shapes import Mask

SHARED = Path(__file__).parents[4] / "shared" / "data"
HOLLOW = np.zeros((40, 80), dtype=bool)
HOLLOW[5:15, 50:70] = True

Content = dict[str, list[dict[str, Any]]]


def contents() -> tuple[Content, Content]:
    """Instances and captions of two pictures: one with a dog and a crowd of people, one with a cup."""
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 80, "height": 40} for n in (7, 8)]
    names = [(1, "person"), (2, "dog"), (3, "cup")]
    categories = [{"id": i, "name": name, "supercategory": f"kind of {name}"} for i, name in names]
    outline = [[10, 5, 30, 5, 30, 25, 10, 25], [40, 30, 44, 30, 44, 34, 40, 34]]
    coco_mask = Mask.from_array(HOLLOW)
    runs = {"size": [40, 80], "counts": list(coco_mask.runs)}
    box: dict[str, Any] = {"image_id": 7, "iscrowd": 0}
    annotations = [
        box | {"id": 1, "category_id": 2, "bbox": [10, 5, 34, 29], "segmentation": outline},
        box | {"id": 2, "category_id": 1, "bbox": [50, 5, 20, 10], "iscrowd": 1, "segmentation": runs},
        box | {"id": 3, "image_id": 8, "category_id": 3, "bbox": [70.5, 30, 10, 10.4], "segmentation": []},
        box | {"id": 4, "image_id": 8, "category_id": 2, "bbox": [5, 5, 0, 4]},
    ]
    captions = [
        {"id": 1, "image_id": 8, "caption": "A cup. \n"},
        {"id": 2, "image_id": 7, "caption": "A dog sees people."},
    ]
    return {"images": images, "categories": categories, "annotations": annotations}, {"annotations": captions}


def published(folder: Path, instances: Content, captions: Content | None) -> Path:
    files = (folder / "annotations/instances_val2017.json", folder / "annotations/captions_val2017.json")
    return written(folder, files, folder / "val2017", instances, captions)


def flat(folder: Path, instances: Content, captions: Content | None) -> Path:
    files = (folder / "val2017_instances.json", folder / "val2017_captions.json")
    return written(folder, files, folder / "images", instances, captions)


def written(
    folder: Path, files: tuple[Path, Path], pictures: Path, instances: Content, captions: Content | None
) -> Path:
    files[0].parent.mkdir(exist_ok=True)
    pictures.mkdir()
    for number in (7, 8):
        Image.new("RGB", (80, 40)).save(pictures / f"{number}.jpg")
    files[0].write_text(json.dumps(instances), encoding="utf-8")
    if captions is not None:
        files[1].write_text(json.dumps(captions), encoding="utf-8")
    return folder


@pytest.mark.parametrize("layout", [published, flat])
def test_both_layouts_give_the_same_scenes(tmp_path: Path, layout: Any) -> None:
    first, second = read_scenes(layout(tmp_path, *contents()), "val2017")
    assert (first.id, first.width, first.height, first.source) == ("7", 80, 40, "coco")
    assert Image.open(first.picture.path).size == (80, 40)
    dog, crowd = first.things
    assert (dog.category, dog.coco_name, dog.supercategory, dog.group) == ("dog", "dog", "kind of dog", False)
    assert dog.box.as_tuple() == (10, 5, 44, 34) and dog.mask is None
    assert crowd.group
    assert [caption.text for caption in first.captions] == ["A dog sees people."]
    assert [caption.text for caption in second.captions] == ["A cup."]
    # The box that rounding pushed out of the picture is cut at its edge.
    assert [thing.box.as_tuple() for thing in second.things] == [(70.5, 30, 80, 40)]


def test_exhaustive_is_all_but_crowds_and_boxes_without_area(tmp_path: Path) -> None:
    first, second = read_coco(flat(tmp_path, *contents()), "val2017")
    assert first.exhaustive == {"dog", "cup"}
    assert second.exhaustive == {"person", "cup"}


def test_masks_come_from_outlines_and_run_lengths(tmp_path: Path) -> None:
    first, second = read_coco(flat(tmp_path, *contents()), "val2017", masks=True)
    dog, crowd = (thing.mask for thing in first.things)
    assert dog is not None and dog.area == 20 * 20 + 4 * 4
    assert dog.bounds().as_tuple() == (10, 5, 44, 34)
    assert crowd is not None and np.array_equal(crowd.rasterise(), HOLLOW)
    assert second.things[0].mask is None


def test_captions_may_be_missing(tmp_path: Path) -> None:
    instances, _ = contents()
    assert all(scene.captions == () for scene in read_coco(published(tmp_path, instances, None), "val2017"))


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("images", {"file_name": "9.jpg"}, r"images\[0\]: picture .*9\.jpg does not exist"),
        ("images", {"file_name": "../7.jpg"}, "leads out of"),
        ("images", {"id": 8}, "image id 8 is used twice"),
        ("images", {"width": 0}, "field 'width' is 0; expected a whole number, at least 1"),
        ("annotations", {"id": 2}, "annotation id 2 is used twice"),
        ("annotations", {"image_id": 9}, "image_id 9 is not in 'images' of the instances file"),
        ("annotations", {"category_id": 9}, "category_id 9 is not in 'categories'"),
        ("annotations", {"bbox": [1, 2, 3]}, "field 'bbox' is .*; expected 4 finite numbers"),
        ("annotations", {"bbox": [60, 2, 30, 3]}, "is not inside the picture of 80 x 40"),
        (
            "annotations",
            {"segmentation": [[1, 2, 3, 4]]},
            r"annotations\[0\]: field 'segmentation': outline 0",
        ),
        ("annotations", {"segmentation": [[1, 2, 3, 4, 5, None]]}, "outline 0: field 'points'"),
        ("annotations", {"segmentation": "abc"}, "expected outlines"),
        (
            "annotations",
            {"segmentation": {"size": [2, 2], "counts": [1, 3]}},
            "mask is 2 x 2 pixels, its picture",
        ),
        ("annotations", {"segmentation": {"size": [40, 80], "counts": [1, 3]}}, "mask runs add up to 4"),
    ],
)
def test_mistakes_name_file_and_entry(
    tmp_path: Path, entry: str, change: dict[str, Any], message: str
) -> None:
    instances, captions = contents()
    instances[entry][0] |= change
    with pytest.raises(RecordError, match=message) as fault:
        read_coco(flat(tmp_path, instances, captions), "val2017", masks=True)
    assert "val2017_instances.json" in str(fault.value)


def test_a_caption_of_an_unknown_picture_is_an_error(tmp_path: Path) -> None:
    instances, captions = contents()
    captions["annotations"][0]["image_id"] = 99
    with pytest.raises(RecordError, match=r"val2017_captions\.json annotations\[0\]: image_id 99"):
        read_coco(flat(tmp_path, instances, captions), "val2017")


@pytest.mark.parametrize("layout", [published, flat])
def test_an_unknown_split_names_those_that_are_there(tmp_path: Path, layout: Any) -> None:
    with pytest.raises(RecordError, match=r"no split 'test' .*; it has: val2017"):
        read_scenes(layout(tmp_path, *contents()), "test")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real samples are not beside the checkout")
def test_the_real_published_sample() -> None:
    scenes = read_coco(SHARED / "formats" / "coco", "train2017", masks=True)
    things = [thing for scene in scenes for thing in scene.things]
    assert (len(scenes), len(things), sum(len(scene.captions) for scene in scenes)) == (16, 194, 80)
    assert sum(thing.group for thing in things) == 3
    # Published boxes are drawn round the published masks.
    shares = [thing.mask.bounds().iou(thing.box) for thing in things if thing.mask is not None]
    assert len(shares) == 194 and min(shares) > 0.6 and float(np.median(shares)) > 0.95
    for scene in scenes:
        with Image.open(scene.picture.path) as image:
            assert image.size == (scene.width, scene.height)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real samples are not beside the checkout")
@pytest.mark.parametrize(
    ("split", "pictures", "boxes", "captions"), [("train", 168, 1374, 320), ("val", 40, 294, 80)]
)
def test_the_real_flat_sample(split: str, pictures: int, boxes: int, captions: int) -> None:
    scenes = read_scenes(SHARED / "coco_small", split)
    assert len(scenes) == pictures
    assert sum(len(scene.things) for scene in scenes) == boxes
    assert sum(len(scene.captions) for scene in scenes) == captions
    assert all(len(scene.exhaustive) >= 78 for scene in scenes)

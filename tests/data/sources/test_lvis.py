"""The LVIS reader: words of categories, absence, where pictures lie, mistakes; the real sample if there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.data.sources import detect_layout
from deixis.data.sources.lvis import category_words, read_lvis
from deixis.errors import RecordError

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "formats" / "lvis"


def contents() -> dict[str, Any]:
    image = {"id": 7, "width": 80, "height": 40, "coco_url": "http://images.cocodataset.org/train2017/7.jpg"}
    image |= {"neg_category_ids": [3, 4], "not_exhaustive_category_ids": [2]}
    names = [
        (1, "aerosol_can", ["aerosol_can", "spray_can"]),
        (2, "cat", ["cat"]),
        (3, "crab_(animal)", ["crab_(animal)"]),
        (4, "dog", ["dog"]),
        (5, "crab_(food)", ["crab_(food)"]),
    ]
    outline = [[10, 5, 30, 5, 30, 25, 10, 25]]
    return {
        "images": [image],
        "categories": [{"id": n, "name": name, "synonyms": others} for n, name, others in names],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 5, 20, 20], "segmentation": outline},
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": [40, 5, 20, 20], "segmentation": []},
        ],
    }


def written(folder: Path, content: dict[str, Any], *, name: str = "lvis_v1_train.json") -> Path:
    (folder / "train2017").mkdir(exist_ok=True)
    (folder / "train2017/7.jpg").touch()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "name",
    ["lvis_v1_train.json", "annotations/lvis_v1_train.json", "lvis_v0.5_train.json", "lvis_train.json"],
)
def test_scenes_say_what_is_certain(tmp_path: Path, name: str) -> None:
    (scene,) = read_lvis(written(tmp_path, contents(), name=name), "train")
    assert detect_layout(tmp_path) == "lvis"
    assert [thing.category for thing in scene.things] == ["aerosol can", "cat"]
    assert scene.things[0].box.as_tuple() == (10, 5, 30, 25) and scene.things[0].mask is None
    # Cats are there but not all of them boxed; of the two crabs only one is known to be absent.
    assert scene.exhaustive == {"aerosol can", "dog"}
    assert scene.picture.path == tmp_path / "train2017/7.jpg"


def test_masks_come_from_outlines(tmp_path: Path) -> None:
    (scene,) = read_lvis(written(tmp_path, contents()), "train", masks=True)
    can, cat = (thing.mask for thing in scene.things)
    assert can is not None and can.area == 400 and cat is None


@pytest.mark.parametrize(
    ("name", "synonyms", "words"),
    [
        ("crab_(animal)", (), "crab"),
        ("baseball_bat", ("baseball_bat",), "baseball bat"),
        ("monitor_(computer_equipment) computer_monitor", ("monitor_(computer_equipment)", "x"), "monitor"),
        ("a_(b)_c", (), "a c"),
    ],
)
def test_categories_are_named_as_one_says_them(name: str, synonyms: tuple[str, ...], words: str) -> None:
    assert category_words(name, synonyms) == words


@pytest.mark.parametrize("place", ["images/7.jpg", "images/COCO_train2014_7.jpg", "COCO_train2014_7.jpg"])
def test_pictures_are_found_in_other_folders(tmp_path: Path, place: str) -> None:
    content = contents()
    content["images"][0]["file_name"] = "COCO_train2014_7.jpg"
    written(tmp_path, content)
    (tmp_path / "train2017/7.jpg").unlink()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    (scene,) = read_lvis(tmp_path, "train")
    assert scene.picture.path == tmp_path / place


def test_missing_pictures_may_be_passed_over(tmp_path: Path) -> None:
    written(tmp_path, contents())
    (tmp_path / "train2017/7.jpg").unlink()
    assert read_lvis(tmp_path, "train", skip_missing=True) == []
    with pytest.raises(RecordError, match=r"images\[0\]: none of its pictures exists: train2017/7\.jpg"):
        read_lvis(tmp_path, "train")


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("images", {"coco_url": "http://x/../7.jpg"}, "leads out of"),
        ("images", {"neg_category_ids": ["a"]}, "expected a list of whole numbers"),
        ("annotations", {"image_id": 9}, "image_id 9 is not in 'images'"),
        ("annotations", {"category_id": 9}, "category_id 9 is not in 'categories'"),
        ("annotations", {"bbox": [70, 5, 20, 20]}, "is not inside the picture of 80 x 40"),
        ("categories", {"name": "_", "synonyms": []}, "expected a name with words in it"),
    ],
)
def test_mistakes_name_file_and_entry(
    tmp_path: Path, entry: str, change: dict[str, Any], message: str
) -> None:
    content = contents()
    content[entry][0] |= change
    with pytest.raises(RecordError, match=message) as fault:
        read_lvis(written(tmp_path, content), "train")
    assert f"lvis_v1_train.json {entry}[0]" in str(fault.value)


def test_an_unknown_split_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"no split 'val' .*; it has: lvis_v1_train\.json"):
        read_lvis(written(tmp_path, contents()), "val")


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real samples are not beside the checkout")
def test_the_real_sample() -> None:
    (scene,) = read_lvis(SAMPLE, "val_sample", masks=True, skip_missing=True)
    assert len(scene.things) == 1 and scene.things[0].category == "cow"
    assert scene.things[0].mask is not None
    assert scene.things[0].mask.bounds().iou(scene.things[0].box) > 0.95
    assert "cow" in scene.exhaustive and "bicycle" in scene.exhaustive

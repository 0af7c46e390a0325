"""The Objects365 reader: both versions, exhaustive categories, patches, mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.data.sources import read_scenes
from deixis.data.sources.objects365 import read_objects365
from deixis.errors import RecordError


def contents(*, name: str = "obj365_train_7.jpg") -> dict[str, Any]:
    box = {"image_id": 7, "category_id": 1, "iscrowd": 0, "isfake": 0}
    return {
        "images": [{"id": 7, "file_name": name, "width": 80, "height": 40}],
        "categories": [{"id": n, "name": words} for n, words in ((1, "Person"), (2, "Cup"), (3, "Dog"))],
        "annotations": [
            box | {"id": 1, "bbox": [10.5, 5, 20, 30.2]},
            box | {"id": 2, "bbox": [40, 5, 40.4, 20], "category_id": 2, "iscrowd": 1},
            box | {"id": 3, "bbox": [40, 5, 0, 20], "category_id": 3},
        ],
    }


def written(folder: Path, content: dict[str, Any], *, picture: str, name: str) -> Path:
    for path in (folder / "train" / picture, folder / name):
        path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "train" / picture).touch()
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("named", "picture", "file"),
    [
        ("obj365_train_7.jpg", "obj365_train_7.jpg", "annotations/objects365_train.json"),
        ("images/v1/patch8/objects365_v1_7.jpg", "patch8/objects365_v1_7.jpg", "zhiyuan_objv2_train.json"),
        ("images/v2/patch9/7.jpg", "7.jpg", "annotations/zhiyuan_objv2_train.json"),
        ("images/v2/patch9/7.jpg", "images/v2/patch9/7.jpg", "objects365_train.json"),
    ],
)
def test_both_versions_are_read(tmp_path: Path, named: str, picture: str, file: str) -> None:
    (scene,) = read_scenes(written(tmp_path, contents(name=named), picture=picture, name=file), "train")
    assert scene.picture.path == tmp_path / "train" / picture
    person, cup = scene.things
    assert (person.category, person.box.as_tuple(), person.group) == ("person", (10.5, 5, 30.5, 35.2), False)
    # Rounding put the edge just outside; a crowd and a box without area leave their category uncertain.
    assert cup.box.as_tuple() == (40, 5, 80, 25) and cup.group
    assert scene.exhaustive == {"person"}


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("annotations", {"image_id": 9}, "image_id 9 is not in 'images'"),
        ("annotations", {"category_id": 9}, "category_id 9 is not in 'categories'"),
        ("annotations", {"bbox": [1, 2, 3]}, "expected 4 finite numbers"),
        ("images", {"file_name": "8.jpg"}, "picture 8.jpg does not exist below"),
        ("images", {"file_name": "../7.jpg"}, "leads out of"),
        ("images", {"height": 0}, "at least 1"),
    ],
)
def test_mistakes_name_file_and_entry(
    tmp_path: Path, entry: str, change: dict[str, Any], message: str
) -> None:
    content = contents()
    content[entry][0] |= change
    folder = written(tmp_path, content, picture="obj365_train_7.jpg", name="objects365_train.json")
    with pytest.raises(RecordError, match=message) as fault:
        read_objects365(folder, "train")
    assert f"objects365_train.json {entry}[0]" in str(fault.value)


def test_missing_pictures_may_be_passed_over(tmp_path: Path) -> None:
    folder = written(tmp_path, contents(), picture="other.jpg", name="objects365_train.json")
    assert read_objects365(folder, "train", skip_missing=True) == []


def test_an_unknown_split_names_those_that_are_there(tmp_path: Path) -> None:
    folder = written(tmp_path, contents(), picture="7.jpg", name="annotations/objects365_train.json")
    with pytest.raises(RecordError, match=r"no split 'val' .*; it has: objects365_train\.json"):
        read_objects365(folder, "val")

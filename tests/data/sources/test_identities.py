"""A number that two entries of a file have is an error with both places, in every reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.data.sources import read_scenes
from deixis.errors import RecordError
from tests.data.turned import LAYOUTS, instances, write_folder, write_pack, write_turned


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rows", ["annotations", "categories", "images"])
def test_a_number_used_twice_is_refused_with_both_places(tmp_path: Path, layout: str, rows: str) -> None:
    assert len(read_scenes(write_folder(tmp_path / "good", layout), "train", layout=layout)) == 1
    twice = write_folder(tmp_path / "bad", layout, **{rows: instances()[rows] * 2})
    with pytest.raises(RecordError, match=rf"{rows}\[1\]: {rows[:3]}.* id 1 is used twice.* {rows}\[0\]"):
        read_scenes(twice, "train", layout=layout)


def test_annotations_of_different_pictures_have_different_numbers(tmp_path: Path) -> None:
    write_turned(tmp_path / "images" / "b.jpg", 1)
    images = [*instances()["images"], instances("b.jpg")["images"][0] | {"id": 2}]
    rows = [*instances()["annotations"], instances()["annotations"][0] | {"image_id": 2}]
    with pytest.raises(RecordError, match=r"annotations\[1\]: annotation id 1 is used twice"):
        read_scenes(write_pack(tmp_path, images=images, annotations=rows), "train")


@pytest.mark.parametrize(
    ("name", "rows", "entry"),
    [
        ("objects", "objects", {"object_id": 5, "x": 1, "y": 1, "w": 5, "h": 5, "names": ["cup"]}),
        (
            "region_descriptions",
            "regions",
            {"region_id": 5, "x": 1, "y": 1, "width": 5, "height": 5, "phrase": "a cup"},
        ),
    ],
)
def test_visual_genome(tmp_path: Path, name: str, rows: str, entry: dict[str, Any]) -> None:
    write_turned(tmp_path / "images" / "1.jpg", 1)
    (tmp_path / "image_data.json").write_text(json.dumps([{"image_id": 1, "width": 64, "height": 40}]))
    content = [{"image_id": 1, rows: [entry, entry]}]  # said twice, but the same
    (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert len(read_scenes(tmp_path, "all")[0].things) == 1
    content[0][rows] = [entry, entry | {"x": 9}]
    (tmp_path / f"{name}.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match=rf"{rows}\[1\]: .*_id 5 is used twice.* {rows}\[0\]"):
        read_scenes(tmp_path, "all")
    images = [{"image_id": 1, "width": 64, "height": 40}] * 2
    (tmp_path / "image_data.json").write_text(json.dumps(images))
    with pytest.raises(RecordError, match=r"\[1\]: image_id 1 is used twice.*\[0\]"):
        read_scenes(tmp_path, "all")

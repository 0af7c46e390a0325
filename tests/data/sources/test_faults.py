"""The same faults in the files of every reader: the same outcome, with file, entry and field."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.data.sources import read_scenes
from deixis.data.sources.coco import read_coco
from deixis.data.sources.lvis import read_lvis
from deixis.errors import RecordError
from tests.data.sources.test_flickr30k_entities import BALL, BOX, written
from tests.data.turned import LAYOUTS, instances, write_folder, write_turned

NAN, INFINITY = float("nan"), float("inf")
DEEP: Any = 0
for _ in range(500):
    DEEP = [DEEP]


def changed(rows: str, **fields: Any) -> dict[str, Any]:
    """The rows of that list of the instances file, with other fields."""
    return {rows: [instances()[rows][0] | fields]}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("rows", "field", "value"),
    [
        ("annotations", "bbox", [NAN, 1, 2, 3]),
        ("annotations", "bbox", [1, 1, INFINITY, 3]),
        ("annotations", "bbox", [True, False, 2, 3]),
        ("annotations", "bbox", [1, 1, 2]),
        ("annotations", "bbox", ["1", 1, 2, 3]),
        ("annotations", "bbox", DEEP),
        ("annotations", "bbox", {"x": 1}),
        ("annotations", "bbox", None),
        ("annotations", "id", True),
        ("annotations", "id", 1.0),
        ("annotations", "image_id", "1"),
        ("annotations", "category_id", [1]),
        ("categories", "id", False),
        ("categories", "name", 7),
        ("categories", "name", DEEP),
        ("images", "id", None),
        ("images", "width", True),
        ("images", "width", 0),
        ("images", "height", -3),
        ("images", "height", 40.0),
        ("images", "width", NAN),
    ],
)
def test_values_of_other_kinds(tmp_path: Path, layout: str, rows: str, field: str, value: Any) -> None:
    folder = write_folder(tmp_path, layout, **changed(rows, **{field: value}))
    with pytest.raises(RecordError, match=rf"{rows}\[0\]: field '{field}' is ") as caught:
        read_scenes(folder, "train", layout=layout)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rows", ["images", "categories", "annotations"])
@pytest.mark.parametrize("value", [None, {}, "x", [5], [None], [[]]])
def test_lists_that_are_none(tmp_path: Path, layout: str, rows: str, value: Any) -> None:
    folder = write_folder(tmp_path, layout, **{rows: value})
    with pytest.raises(RecordError, match=rf"{rows}"):
        read_scenes(folder, "train", layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "content", ["", "[" * 100_000, '{"a": ' * 50_000, "[]", "3", '{"images": [NaN', "\ufeff{}"]
)
def test_files_that_are_no_object(tmp_path: Path, layout: str, content: str) -> None:
    folder = write_folder(tmp_path, layout)
    (file,) = [path for path in folder.rglob("*.json") if path.name != "train_captions.jsonl"]
    file.write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=rf"{file.name}: "):
        read_scenes(folder, "train", layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("field", "rows"), [("image_id", "images"), ("category_id", "categories")])
def test_a_number_that_leads_nowhere(tmp_path: Path, layout: str, field: str, rows: str) -> None:
    folder = write_folder(tmp_path, layout, **changed("annotations", **{field: 9}))
    with pytest.raises(RecordError, match=rf"annotations\[0\]: {field} 9 is not in '{rows}'"):
        read_scenes(folder, "train", layout=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["../a.jpg", "/etc/passwd", "", ".", "x/../../a.jpg", "a\0.jpg"])
def test_names_that_lead_out(tmp_path: Path, layout: str, name: str) -> None:
    folder = write_folder(tmp_path, layout, **changed("images", file_name=name))
    with pytest.raises(RecordError, match=r"images\[0\]: (file name|.*does not exist|none of its pictures)"):
        read_scenes(folder, "train", layout=layout)


@pytest.mark.parametrize("read", [read_coco, read_lvis])
@pytest.mark.parametrize(
    "segmentation",
    [
        [[1, 2, 3, 4]],
        [[1, 2, NAN, 4, 5, 6]],
        [[True, 2, 3, 4, 5, 6]],
        [[1, 2, 3, 4, 5, "6"]],
        ["1 2 3"],
        DEEP,
        {"size": [40, 64]},
        {"size": [True, 64], "counts": [64]},
        {"size": [40, 64], "counts": [0, True]},
        {"size": [64, 40], "counts": [0, 2560]},
        {"size": [10_000, 10_000], "counts": [0, 100_000_000]},
        {"size": [40, 64], "counts": "~~~"},
        "outline",
        7,
    ],
)
def test_masks_that_are_none(tmp_path: Path, read: Callable[..., Any], segmentation: Any) -> None:
    layout = "coco" if read is read_coco else "lvis"
    folder = write_folder(tmp_path, layout, **changed("annotations", segmentation=segmentation))
    with pytest.raises(RecordError, match=r"annotations\[0\]: field 'segmentation'") as caught:
        read(folder, "train", masks=True)
    assert len(str(caught.value)) < 500


def test_outlines_in_a_picture_that_states_a_giant_size(tmp_path: Path) -> None:
    rows = changed("annotations", segmentation=[[1, 2, 9, 4, 5, 9]]) | changed(
        "images", width=10**9, height=10**9
    )
    with pytest.raises(RecordError, match="masks of at most 100,000,000 are made"):
        read_coco(write_folder(tmp_path, "coco", **rows), "train", masks=True)


@pytest.mark.parametrize("corner", ["1.5", "true", "NaN", "9" * 400, "", "0x1", "1e3"])
def test_corners_of_flickr30k_entities(tmp_path: Path, corner: str) -> None:
    odd = "<object><name>1</name>" + BOX.format(corner, 6, 70, 25) + "</object>"
    with pytest.raises(RecordError, match=r"7\.xml: object 0: <xmin> is .*expected a whole number") as caught:
        read_scenes(written(tmp_path, objects=odd + BALL), "train")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("field", "value"),
    [("x", True), ("x", 1.5), ("w", NAN), ("h", "9"), ("object_id", -1), ("names", "cup"), ("names", [3])],
)
def test_values_of_other_kinds_in_visual_genome(tmp_path: Path, field: str, value: Any) -> None:
    write_turned(tmp_path / "images" / "1.jpg", 1)
    (tmp_path / "image_data.json").write_text(json.dumps([{"image_id": 1, "width": 64, "height": 40}]))
    cup = {"object_id": 5, "x": 1, "y": 1, "w": 4, "h": 4, "names": ["cup"]} | {field: value}
    (tmp_path / "objects.json").write_text(json.dumps([{"image_id": 1, "objects": [cup]}]))
    with pytest.raises(RecordError, match=rf"objects\[0\]: field '{field}' is "):
        read_scenes(tmp_path, "all")


@pytest.mark.parametrize("content", ["[" * 100_000, "{}", "[5]", "[NaN]", '[{"image_id": true}]'])
def test_lists_of_visual_genome_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "image_data.json").write_text(content)
    with pytest.raises(RecordError, match=r"image_data\.json"):
        read_scenes(tmp_path, "all")

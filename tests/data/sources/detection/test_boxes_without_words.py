"""Open Images, V3Det and SA-1B: small files of the documented layouts, mistakes, and what is left out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.groma.boxes import SA1B_AREAS
from deixis.data.scene import Scene
from deixis.data.sources import detect_layout, read_scenes
from deixis.data.sources.detection import open_images
from deixis.data.sources.detection.csv_rows import LONGEST_LINE, csv_rows
from deixis.data.sources.detection.open_images import open_images_scenes, read_open_images
from deixis.data.sources.detection.sa1b import read_sa1b, sa1b_scenes
from deixis.data.sources.detection.v3det import read_v3det
from deixis.errors import RecordError
from deixis.regions.rle import compress
from deixis.regions.shapes import Mask

HEADER = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"
HEADER += ",IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"


def picture(path: Path, *, size: tuple[int, int] = (80, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)
    return path


def row(name: str, label: str, x: tuple[object, object], y: tuple[object, object], group: object = 0) -> str:
    return f"{name},xclick,{label},1,{x[0]},{x[1]},{y[0]},{y[1]},0,0,{group},0,0"


ROWS = [
    row("ab", "/m/dog", (0.25, 0.5), (0, 0.5)),
    row("ab", "/m/dog", (0.5, 1), (0.5, 1), 1),
    row("ab", "/m/cup", (0, 0.1), (0.1, 0.9)),
    row("cd", "/m/cup", (0.5, 0.5), (0, 1)),
]


def open_images_folder(folder: Path, *rows: str, classes: str = "/m/dog,Dog\n/m/cup,Coffee cup\n") -> Path:
    for name in ("ab", "cd"):
        picture(folder / "train" / f"{name}.jpg")
    (folder / "oidv6-train-annotations-bbox.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "class-descriptions-boxable.csv").write_text(classes)
    return folder


def test_open_images_boxes_are_fractions_and_groups_are_not_exhaustive(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="deixis"):
        first, second = read_scenes(open_images_folder(tmp_path, *ROWS), "train")
    dog, dogs, cup = first.things
    assert (dog.box.as_tuple(), dog.category, dog.group) == ((20, 0, 40, 20), "dog", False)
    assert dogs.group and cup.category == "coffee cup" and first.exhaustive == {"coffee cup"}
    assert first.source == "open_images" and first.captions == () and (first.width, first.height) == (80, 40)
    assert second.things == () and second.exhaustive == frozenset()
    assert "left out: 1; the first" in caplog.text and "bbox.csv:5" in caplog.text


def test_open_images_class_names_with_headings(tmp_path: Path) -> None:
    classes = 'LabelName,DisplayName\n/m/dog,Dog\n/m/cup,"Cup, large"\n'
    (scene, _) = read_open_images(open_images_folder(tmp_path, *ROWS, classes=classes), "train")
    assert scene.things[2].category == "cup, large"


def test_open_images_are_read_picture_by_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, taken = open_images_folder(tmp_path, *ROWS), []
    inner = open_images.named_rows

    def counted(path: Path, columns: tuple[str, ...]) -> Iterator[Any]:
        for one in inner(path, columns):
            taken.append(one)
            yield one

    monkeypatch.setattr(open_images, "named_rows", counted)
    assert [scene.id for scene in islice(open_images_scenes(folder, "train"), 1)] == ["ab"]
    assert len(taken) == 4  # of the next picture, no more than its first row


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (row("ab", "/m/cat", (0, 1), (0, 1)), r"csv:2: LabelName '/m/cat' is not among"),
        (row("ab", "/m/dog", ("x", 1), (0, 1)), r"csv:2: XMin is 'x'; expected a fraction"),
        (row("ab", "/m/dog", ("nan", 1), (0, 1)), r"csv:2: XMin is 'nan'"),
        (row("ab", "/m/dog", (0.5, 0.1), (0, 1)), r"csv:2: box from .* is not inside"),
        (row("ab", "/m/dog", (0, 2), (0, 1)), r"csv:2: box from .* is not inside"),
        (row("ab", "/m/dog", (0, 1), (0, 1), "yes"), r"csv:2: IsGroupOf is 'yes'"),
        (row("zz", "/m/dog", (0, 1), (0, 1)), r"csv:2: picture 'zz' is not in"),
        (row("../ab", "/m/dog", (0, 1), (0, 1)), r"csv:2: file name .* leads out of"),
        ("ab,1", r"csv:2: row has 2 cells, the first row 13"),
        ('ab,"1', r"csv:\d+: is no CSV"),
        ("a" * (LONGEST_LINE + 9), r"csv:2: line is over 65,536 bytes"),
    ],
)
def test_open_images_mistakes_name_file_and_line(tmp_path: Path, wrong: str, message: str) -> None:
    with pytest.raises(RecordError, match=message) as caught:
        read_open_images(open_images_folder(tmp_path, wrong, *ROWS), "train")
    assert len(str(caught.value)) < 600


def test_open_images_rows_of_a_picture_stand_together(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"csv:6: rows of picture 'ab' stand further up"):
        read_open_images(open_images_folder(tmp_path, *ROWS, ROWS[0]), "train")


def test_open_images_needs_its_columns_classes_and_headers(tmp_path: Path) -> None:
    folder = open_images_folder(tmp_path, *ROWS)
    file = folder / "oidv6-train-annotations-bbox.csv"
    content = file.read_text()
    file.write_text(content.replace("XMin", "X"))
    with pytest.raises(RecordError, match=r"csv:1: the first row lacks XMin"):
        read_open_images(folder, "train")
    file.write_text(content)
    (folder / "train" / "ab.jpg").write_bytes(b"no picture")
    with pytest.raises(RecordError, match=r"csv:2: picture ab.jpg has no header"):
        read_open_images(folder, "train")
    (folder / "train" / "ab.jpg").unlink()
    assert [scene.id for scene in read_open_images(folder, "train", skip_missing=True)] == ["cd"]
    (folder / "class-descriptions-boxable.csv").write_text("/m/dog,Dog\n/m/dog,Cat\n")
    with pytest.raises(RecordError, match=r"csv:2: label '/m/dog' stands here a second time"):
        read_open_images(folder, "train")
    with pytest.raises(RecordError, match="has no val-annotations"):
        read_open_images(folder, "val")


def test_csv_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa,b\n\n\xff,c\n")
    rows = csv_rows(tmp_path / "a.csv")
    assert next(rows) == (f"{tmp_path / 'a.csv'}:1", ["a", "b"])
    with pytest.raises(RecordError, match=r"a\.csv:3: is no UTF-8"):
        next(rows)


def v3det_content() -> dict[str, Any]:
    box = {"image_id": 7, "category_id": 1, "iscrowd": 0}
    return {
        "images": [{"id": 7, "file_name": "images/n01/7.jpg", "width": 80, "height": 40}],
        "categories": [{"id": 1, "name": "Golden_Retriever"}, {"id": 2, "name": "cup"}],
        "annotations": [
            box | {"id": 1, "bbox": [10.5, 5, 20, 30]},
            box | {"id": 2, "bbox": [0, 0, 40, 0], "category_id": 2},
        ],
    }


def v3det_folder(folder: Path, content: dict[str, Any], names: str | None = None) -> Path:
    picture(folder / "images" / "n01" / "7.jpg")
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / "v3det_2023_v1_train.json").write_text(json.dumps(content))
    if names is not None:
        (folder / "annotations" / "category_name_13204_v3det_2023_v1.txt").write_text(names)
    return folder


@pytest.mark.parametrize(("names", "called"), [(None, "golden retriever"), ("Red_Panda\ncup\n", "red panda")])
def test_v3det_names_come_from_its_file_of_names(
    tmp_path: Path, names: str | None, called: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="deixis"):
        (scene,) = read_scenes(v3det_folder(tmp_path, v3det_content(), names), "train")
    (thing,) = scene.things
    assert (thing.category, thing.box.as_tuple()) == (called, (10.5, 5, 30.5, 35))
    assert scene.exhaustive == frozenset() and scene.source == "v3det"
    assert "left out: 1; the first" in caplog.text and "annotations[1]" in caplog.text


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("annotations", {"category_id": 9}, "category_id 9 is not in 'categories'"),
        ("annotations", {"bbox": [1, 2, 3]}, "expected 4 finite numbers"),
        ("images", {"file_name": "8.jpg"}, "picture '8.jpg' does not exist below"),
        ("categories", {"name": "__"}, "name '__' has no words"),
    ],
)
def test_v3det_mistakes_name_file_and_entry(
    tmp_path: Path, entry: str, change: dict[str, Any], message: str
) -> None:
    content = v3det_content()
    content[entry][0] |= change
    with pytest.raises(RecordError, match=message) as fault:
        read_v3det(v3det_folder(tmp_path, content), "train")
    assert f"v3det_2023_v1_train.json {entry}[0]" in str(fault.value)


def test_v3det_names_have_to_belong_to_the_annotations(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="has 3 names, the annotations 2 categories"):
        read_v3det(v3det_folder(tmp_path, v3det_content(), "a\nb\nc\n"), "train")
    with pytest.raises(RecordError, match=r"it has: v3det_2023_v1_train\.json"):
        read_v3det(tmp_path, "val")


def mask(x0: int, y0: int, x1: int, y1: int, *, size: tuple[int, int] = (80, 40)) -> Mask:
    pixels = np.zeros(size[::-1], dtype=bool)
    pixels[y0:y1, x0:x1] = True
    return Mask.from_array(pixels)


def sa1b_content(*masks: Mask) -> dict[str, Any]:
    annotations = [
        {
            "id": number,
            "segmentation": one.to_coco(),
            "bbox": [0, 0, 1, 1],
            "area": one.area,
            "predicted_iou": 0.9,
            "stability_score": 0.9,
            "point_coords": [[1, 1]],
            "crop_box": [0, 0, 80, 40],
        }
        for number, one in enumerate(masks, start=1)
    ]
    image = {"image_id": 5, "width": 80, "height": 40, "file_name": "sa_5.jpg"}
    return {"image": image, "annotations": annotations}


def sa1b_folder(folder: Path, content: dict[str, Any], *, part: str = "sa_000020") -> Path:
    picture(folder / part / "sa_5.jpg")
    (folder / part / "sa_5.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("split", ["train", "sa_000020"])
def test_sa1b_boxes_are_those_of_masks(tmp_path: Path, split: str) -> None:
    folder = sa1b_folder(tmp_path, sa1b_content(mask(4, 2, 20, 10), mask(0, 0, 80, 40)))
    (scene,) = read_scenes(folder, split)
    assert [thing.box.as_tuple() for thing in scene.things] == [(4, 2, 20, 10), (0, 0, 80, 40)]
    assert {thing.category for thing in scene.things} == {"object"} and scene.things[0].mask is None
    assert (scene.id, scene.source) == ("sa_5", "sa1b")
    (with_masks,) = read_sa1b(folder, split, masks=True)
    assert with_masks.things[0].mask == mask(4, 2, 20, 10)


def test_sa1b_sizes_are_those_on_the_square(tmp_path: Path) -> None:
    # 448 pixels for 80 and for 40: a pixel is 5.6 x 11.2.
    folder = sa1b_folder(tmp_path, sa1b_content(mask(0, 0, 1, 3), mask(0, 0, 2, 2), mask(0, 0, 79, 39)))
    (scene,) = read_sa1b(folder, "train", sizes=SA1B_AREAS)
    assert [thing.id for thing in scene.things] == [2]


@pytest.mark.parametrize("counts", [[3200], compress([3200])])
def test_sa1b_empty_masks_are_counted(
    tmp_path: Path, counts: object, caplog: pytest.LogCaptureFixture
) -> None:
    content = sa1b_content(mask(4, 2, 20, 10), mask(0, 0, 5, 5))
    content["annotations"][1]["segmentation"] = {"size": [40, 80], "counts": counts}
    with caplog.at_level(logging.WARNING, logger="deixis"):
        (scene,) = read_sa1b(sa1b_folder(tmp_path, content), "train")
    assert len(scene.things) == 1 and "left out: 1" in caplog.text and "annotations[1]" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: content["annotations"][0].update(segmentation=[[1, 2, 3]]),
            "expected COCO's run lengths",
        ),
        (
            lambda content: content["annotations"][0]["segmentation"].update(size=[9, 9]),
            r"annotations\[0\]: field",
        ),
        (
            lambda content: content["annotations"][0]["segmentation"].update(counts="~~"),
            r"annotations\[0\]: field",
        ),
        (lambda content: content["annotations"].append(content["annotations"][0]), "used twice"),
        (lambda content: content["image"].update(file_name="no.jpg"), "is not beside it"),
        (lambda content: content["image"].update(file_name="../a.jpg"), "leads out of"),
        (lambda content: content["image"].update(width=0), "at least 1"),
        (lambda content: content.pop("image"), "field 'image' is missing"),
    ],
)
def test_sa1b_mistakes_name_file_and_entry(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    content = sa1b_content(mask(4, 2, 20, 10))
    change(content)
    with pytest.raises(RecordError, match=message) as fault:
        read_sa1b(sa1b_folder(tmp_path, content), "train")
    assert "sa_5.json" in str(fault.value)


def test_sa1b_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    folder = sa1b_folder(tmp_path, sa1b_content(mask(4, 2, 20, 10)), part="sa_000001")
    (sa1b_folder(folder, {}, part="sa_000002") / "sa_000002" / "sa_5.json").write_text("{")
    scenes = sa1b_scenes(folder, "train")
    assert next(scenes).id == "sa_5"
    with pytest.raises(RecordError, match="sa_000002"):
        next(scenes)
    with pytest.raises(RecordError, match="it has folders of them: sa_000001, sa_000002"):
        read_sa1b(folder, "val")
    with pytest.raises(RecordError, match="no files"):
        read_sa1b(folder, "../x")


@pytest.mark.parametrize(
    ("layout", "make"),
    [
        ("open_images", lambda folder: open_images_folder(folder, *ROWS)),
        ("v3det", lambda folder: v3det_folder(folder, v3det_content())),
        ("sa1b", lambda folder: sa1b_folder(folder, sa1b_content(mask(1, 1, 5, 5)))),
    ],
)
def test_layouts_are_known_by_their_files(tmp_path: Path, layout: str, make: Callable[[Path], Path]) -> None:
    folder = make(tmp_path)
    assert detect_layout(folder) == layout
    scenes: list[Scene] = read_scenes(folder, "train", broken="pass_over")
    assert scenes and all(not scene.captions and not scene.expressions for scene in scenes)

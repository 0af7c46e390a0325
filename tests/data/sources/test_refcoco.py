"""The RefCOCO reader: expressions of a split, safe unpickling, mistakes; the real sample if there."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from deixis.data.sources import detect_layout
from deixis.data.sources.refcoco import read_refcoco
from deixis.errors import RecordError

FORMATS = Path(__file__).parents[4] / "shared" / "data" / "formats"


def reference(number: int, thing: int, *texts: str, split: str = "train") -> dict[str, Any]:
    sentences = [{"sent_id": n, "raw": text.upper(), "sent": text} for n, text in enumerate(texts)]
    found: dict[str, Any] = {"ref_id": number, "ann_id": thing, "image_id": 7, "split": split}
    return found | {"category_id": 1, "file_name": f"x_{number}.jpg", "sentences": sentences}


def references() -> list[dict[str, Any]]:
    return [
        reference(0, 1, "the left man", "man in red"),
        reference(1, 2, "the right  man", "man in red", " "),
        reference(2, 3, "the dog", split="testA"),
    ]


def instances() -> dict[str, Any]:
    outline = [[10, 5, 30, 5, 30, 25, 10, 25]]
    thing = {"image_id": 7, "category_id": 1, "iscrowd": 0, "segmentation": outline}
    return {
        "images": [{"id": 7, "file_name": "7.jpg", "width": 80, "height": 40}],
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person"},
            {"id": 2, "name": "dog", "supercategory": "animal"},
        ],
        "annotations": [
            thing | {"id": 1, "bbox": [10, 5, 20, 20]},
            thing | {"id": 2, "bbox": [40, 5, 20, 20]},
            thing | {"id": 3, "bbox": [60, 20, 20, 20], "category_id": 2},
        ],
    }


def written(folder: Path, refs: object, content: object, *, name: str = "refs(unc).p") -> Path:
    (folder / "train2014").mkdir(exist_ok=True)
    (folder / "train2014/7.jpg").touch()
    (folder / name).write_bytes(pickle.dumps(refs, protocol=0))
    (folder / "instances.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_expressions_of_a_split_refer_to_things_of_the_picture(tmp_path: Path) -> None:
    folder = written(tmp_path, references(), instances())
    assert detect_layout(folder) == "refcoco"
    (scene,) = read_refcoco(folder, "train", masks=True)
    said = [(e.text, e.thing, e.unique, e.distractors) for e in scene.expressions]
    assert said == [
        ("the left man", 1, True, 1),
        ("man in red", 1, False, 1),  # both men are called so
        ("the right man", 2, True, 1),
        ("man in red", 2, False, 1),
    ]
    assert [thing.category for thing in scene.things] == ["person", "person", "dog"]
    assert scene.things[0].mask is not None and scene.things[0].mask.area == 400
    (other,) = read_refcoco(folder, "testA")
    assert [e.text for e in other.expressions] == ["the dog"] and other.things[0].mask is None


def test_the_partition_can_be_named(tmp_path: Path) -> None:
    written(tmp_path, references(), instances())
    written(tmp_path, [reference(5, 3, "a dog")], instances(), name="refs(google).p")
    assert len(read_refcoco(tmp_path, "train")[0].expressions) == 4
    assert len(read_refcoco(tmp_path, "train", partition="google")[0].expressions) == 1
    with pytest.raises(RecordError, match=r"no refs\(umd\)\.p; it has: refs\(google\)\.p, refs\(unc\)\.p"):
        read_refcoco(tmp_path, "train", partition="umd")


class Harmful:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Path.touch, ("harm",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([Harmful()]), "it asks for"),
        (pickle.dumps({"a": 1}), "field 'refs' is"),
        (pickle.dumps([1]), r"refs\[0\]: is 1; expected an object"),
        (b"no pickle", "is no pickled list of references"),
        (b"", "is no pickled list of references"),
    ],
)
def test_only_plain_references_are_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, [], instances())
    (tmp_path / "refs(unc).p").write_bytes(content)
    with pytest.raises(RecordError, match=message):
        read_refcoco(tmp_path, "train")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 9}, r"refs\[0\]: image_id 9 is not in 'images' of the instances"),
        ({"ann_id": 9}, r"refs\[0\]: ann_id 9 is no annotation of its image"),
        ({"sentences": [{"raw": "X"}]}, r"sentences\[0\]: field 'sent' is missing"),
        ({"split": 3}, "field 'split' is 3"),
    ],
)
def test_mistakes_name_the_reference(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    refs = references()
    refs[0] |= change
    with pytest.raises(RecordError, match=message):
        read_refcoco(written(tmp_path, refs, instances()), "train")


def test_missing_pictures_and_splits(tmp_path: Path) -> None:
    folder = written(tmp_path, references(), instances())
    with pytest.raises(RecordError, match="no split 'val'; it has: testA, train"):
        read_refcoco(folder, "val")
    (folder / "train2014/7.jpg").unlink()
    assert read_refcoco(folder, "train", skip_missing=True) == []
    with pytest.raises(RecordError, match=r"images\[0\]: picture 7\.jpg does not exist in any of: images"):
        read_refcoco(folder, "train")


@pytest.mark.skipif(not FORMATS.is_dir(), reason="the real samples are not beside the checkout")
def test_the_sample_with_real_expressions(tmp_path: Path) -> None:
    for path in (FORMATS / "refcoco_format").iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "images").mkdir()
    for path in (FORMATS / "refcocos/images").iterdir():
        shutil.copy(path, tmp_path / f"images/COCO_val2014_{path.name}")
    scenes = read_refcoco(tmp_path, "train") + [
        scene for split in ("val", "testA", "testB") for scene in read_if_there(tmp_path, split)
    ]
    expressions = [expression for scene in scenes for expression in scene.expressions]
    assert len(expressions) == 6
    assert all(len(expression.text.split()) > 2 for expression in expressions)


def read_if_there(folder: Path, split: str) -> list[Any]:
    try:
        return read_refcoco(folder, split)
    except RecordError:
        return []
